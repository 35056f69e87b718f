#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.hpp"

namespace lanyard::coap {

// Option numbers: RFC 7252 section 12.2, 7641, 7959, 8613, 8768, 7967, 9175, 9177. A message may carry any other.
enum class OptionNumber : std::uint16_t {
    if_match = 1,
    uri_host = 3,
    etag = 4,
    if_none_match = 5,
    observe = 6,
    uri_port = 7,
    location_path = 8,
    oscore = 9,
    uri_path = 11,
    content_format = 12,
    max_age = 14,
    uri_query = 15,
    hop_limit = 16,
    accept = 17,
    q_block1 = 19,
    location_query = 20,
    block2 = 23,
    block1 = 27,
    size2 = 28,
    q_block2 = 31,
    proxy_uri = 35,
    proxy_scheme = 39,
    size1 = 60,
    echo = 252,
    no_response = 258,
    request_tag = 292,
};

// An option that this side must understand or refuse the message, RFC 7252 section 5.4.1.
constexpr bool is_critical(OptionNumber number) {
    return (static_cast<unsigned>(number) & 1) != 0;
}
// Not part of the cache key, RFC 7252 section 5.4.2.
constexpr bool is_no_cache_key(OptionNumber number) {
    return (static_cast<unsigned>(number) & 0x1e) == 0x1c;
}
// May occur more than once in a message, RFC 7252 table 4 and RFC 9175. Unknown numbers: true.
bool is_repeatable(OptionNumber number);
// Known to this library, with a value length that its specification allows. An option for which this is false is
// to be treated as unrecognized (RFC 7252 section 5.4.3). OSCORE and Q-Block are not known at this layer.
bool is_recognized(OptionNumber number, std::size_t value_size);

// One option; the value belongs to the message or to the caller.
struct OptionView {
    OptionNumber number{};
    ByteView value;
};

// An unsigned integer value, RFC 7252 section 3.2; nothing if longer than 8 bytes. Empty is 0.
std::optional<std::uint64_t> decode_uint(ByteView value);

// Block1 and Block2, RFC 7959 section 2.2: NUM (20 bits), M, SZX (0 to 6; 7 is reserved on UDP).
struct BlockOption {
    std::uint32_t num = 0;
    bool more = false;
    std::uint8_t szx = 6;

    [[nodiscard]] std::size_t size() const { return std::size_t{1} << (szx + 4); }
    [[nodiscard]] std::size_t offset() const { return std::size_t{num} << (szx + 4); }
    [[nodiscard]] std::uint32_t encoded() const { return (num << 4) | (more ? 8U : 0U) | szx; }
    friend bool operator==(const BlockOption&, const BlockOption&) = default;
};
// Nothing if longer than 3 bytes or with the reserved SZX 7.
std::optional<BlockOption> decode_block(ByteView value);

}  // namespace lanyard::coap
