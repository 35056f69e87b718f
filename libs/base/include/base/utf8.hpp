#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace lanyard {

// Well-formed UTF-8 is that of RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.

// The length of the well-formed sequence that begins at `at`, 1 to 4; 0 when none does. `at` is within the text.
[[nodiscard]] std::size_t utf8_length(std::string_view text, std::size_t at);
[[nodiscard]] bool is_utf8(std::string_view text);
// `text` with U+FFFD for each byte that is not UTF-8: what a protobuf string may hold.
[[nodiscard]] std::string to_utf8(std::string_view text);

}  // namespace lanyard
