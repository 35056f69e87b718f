#include "lwm2m_coap/response.hpp"

#include <algorithm>
#include <array>

#include "lwm2m/codec.hpp"
#include "lwm2m_coap/error_map.hpp"

namespace lanyard::lwm2m_coap {
namespace {

using coap::Code;

// Success codes by operation, Transport 1.2 section 6.7; the order is that of the alternatives of Operation.
constexpr std::array kSuccess{
    Code::content,  // Read
    Code::content,  // Discover
    Code::changed,  // Write
    Code::changed,  // WriteAttributes
    Code::changed,  // Execute
    Code::created,  // Create
    Code::deleted,  // Delete
    Code::content,  // Observe
    Code::content,  // CancelObserve
};
static_assert(std::variant_size_v<Operation> == kSuccess.size());

// A diagnostic payload is text for people (RFC 7252 section 5.5.2); what is not printable ASCII is replaced.
std::string diagnostic(ByteView payload) {
    constexpr std::size_t kShown = 120;
    std::string text;
    for (const auto byte : payload.first(std::min(payload.size(), kShown))) {
        text.push_back(byte >= 0x20 && byte < 0x7f ? static_cast<char>(byte) : '?');
    }
    return text;
}

}  // namespace

Result<void> check_response(const Operation& operation, Code code, ByteView payload) {
    if (code == kSuccess[operation.index()]) return {};
    std::string message = std::string(name_of(operation)) + " " + path_of(operation).to_string() +
                          ": the device answered " + coap::to_string(code);
    if (coap::is_success(code)) return make_error(Errc::failed_precondition, std::move(message));
    if (!payload.empty()) message += " \"" + diagnostic(payload) + "\"";
    return make_error(to_errc(code), std::move(message));
}

Result<ContentFormat> format_of(std::optional<std::uint16_t> content_format) {
    if (!content_format) return make_error(Errc::invalid_argument, "the answer has no Content-Format");
    const auto format = lwm2m::content_format_from(*content_format);
    if (format && lwm2m::is_supported(*format)) return *format;
    return make_error(Errc::unsupported, "content format " + std::to_string(*content_format) + " is not supported");
}

}  // namespace lanyard::lwm2m_coap
