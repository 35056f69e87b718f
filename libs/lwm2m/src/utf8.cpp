#include "lwm2m/utf8.hpp"

#include <cstddef>
#include <cstdint>

namespace lanyard::lwm2m {
namespace {

struct Lead {
    std::size_t continuations = 0;
    // Bounds of the first continuation byte; they shut out overlong forms, surrogates and too high code points.
    std::uint8_t low = 0x80;
    std::uint8_t high = 0xbf;
    bool valid = true;
};

// RFC 3629 section 4.
Lead lead_of(std::uint8_t byte) {
    if (byte < 0x80) return {0, 0, 0, true};
    if (byte < 0xc2) return {0, 0, 0, false};
    if (byte < 0xe0) return {1, 0x80, 0xbf, true};
    if (byte == 0xe0) return {2, 0xa0, 0xbf, true};
    if (byte == 0xed) return {2, 0x80, 0x9f, true};
    if (byte < 0xf0) return {2, 0x80, 0xbf, true};
    if (byte == 0xf0) return {3, 0x90, 0xbf, true};
    if (byte < 0xf4) return {3, 0x80, 0xbf, true};
    if (byte == 0xf4) return {3, 0x80, 0x8f, true};
    return {0, 0, 0, false};
}

}  // namespace

bool is_utf8(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        const Lead lead = lead_of(static_cast<std::uint8_t>(text[at++]));
        if (!lead.valid || lead.continuations > text.size() - at) return false;
        for (std::size_t i = 0; i < lead.continuations; ++i) {
            const auto byte = static_cast<std::uint8_t>(text[at++]);
            if (byte < (i == 0 ? lead.low : 0x80) || byte > (i == 0 ? lead.high : 0xbf)) return false;
        }
    }
    return true;
}

}  // namespace lanyard::lwm2m
