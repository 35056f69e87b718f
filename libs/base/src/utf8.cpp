#include "base/utf8.hpp"

#include <algorithm>
#include <cstdint>

namespace lanyard {
namespace {

struct Lead {
    std::size_t length = 0;
    // Bounds of the second byte; they shut out overlong forms, surrogates and too high code points.
    std::uint8_t low = 0x80;
    std::uint8_t high = 0xbf;
};

// RFC 3629 section 4.
Lead lead_of(std::uint8_t byte) {
    if (byte < 0x80) return {1};
    if (byte < 0xc2) return {0};
    if (byte < 0xe0) return {2};
    if (byte == 0xe0) return {3, 0xa0, 0xbf};
    if (byte == 0xed) return {3, 0x80, 0x9f};
    if (byte < 0xf0) return {3};
    if (byte == 0xf0) return {4, 0x90, 0xbf};
    if (byte < 0xf4) return {4};
    if (byte == 0xf4) return {4, 0x80, 0x8f};
    return {0};
}

}  // namespace

std::size_t utf8_length(std::string_view text, std::size_t at) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[at + i]); };
    const Lead lead = lead_of(byte(0));
    if (lead.length < 2) return lead.length;
    if (lead.length > text.size() - at || byte(1) < lead.low || byte(1) > lead.high) return 0;
    for (std::size_t i = 2; i < lead.length; ++i) {
        if ((byte(i) & 0xc0) != 0x80) return 0;
    }
    return lead.length;
}

bool is_utf8(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = utf8_length(text, at);
        if (length == 0) return false;
        at += length;
    }
    return true;
}

std::string to_utf8(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = utf8_length(text, at);
        out.append(length > 0 ? text.substr(at, length) : "\xef\xbf\xbd");
        at += std::max<std::size_t>(length, 1);
    }
    return out;
}

}  // namespace lanyard
