#pragma once

#include <cstdint>
#include <string>

namespace lanyard::coap {

// Message type, RFC 7252 section 3.
enum class Type : std::uint8_t { confirmable = 0, non_confirmable = 1, acknowledgement = 2, reset = 3 };

// Method and response codes: RFC 7252 section 12.1, RFC 7959, RFC 8132 (fetch, patch, ipatch), RFC 8516 (4.29).
// A decoded message may carry any other value too.
enum class Code : std::uint8_t {
    empty = 0x00,
    get = 0x01,
    post = 0x02,
    put = 0x03,
    delete_ = 0x04,
    fetch = 0x05,
    patch = 0x06,
    ipatch = 0x07,
    created = 0x41,
    deleted = 0x42,
    valid = 0x43,
    changed = 0x44,
    content = 0x45,
    continue_ = 0x5f,
    bad_request = 0x80,
    unauthorized = 0x81,
    bad_option = 0x82,
    forbidden = 0x83,
    not_found = 0x84,
    method_not_allowed = 0x85,
    not_acceptable = 0x86,
    request_entity_incomplete = 0x88,
    conflict = 0x89,
    precondition_failed = 0x8c,
    request_entity_too_large = 0x8d,
    unsupported_content_format = 0x8f,
    unprocessable_entity = 0x96,
    too_many_requests = 0x9d,
    internal_server_error = 0xa0,
    not_implemented = 0xa1,
    bad_gateway = 0xa2,
    service_unavailable = 0xa3,
    gateway_timeout = 0xa4,
    proxying_not_supported = 0xa5,
};

constexpr unsigned code_class(Code code) {
    return static_cast<unsigned>(code) >> 5;
}
constexpr unsigned code_detail(Code code) {
    return static_cast<unsigned>(code) & 0x1f;
}
constexpr bool is_request(Code code) {
    return code_class(code) == 0 && code != Code::empty;
}
constexpr bool is_response(Code code) {
    return code_class(code) >= 2 && code_class(code) <= 5;
}
constexpr bool is_success(Code code) {
    return code_class(code) == 2;
}

// "2.05".
std::string to_string(Code code);

}  // namespace lanyard::coap
