#pragma once

#include <charconv>
#include <string>
#include <string_view>

namespace lanyard::observation {

// `text` in quotes at the end of `out`, escaped as RFC 8259 section 7; bytes that are not UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view text);
// `text` with U+FFFD for each byte that is not UTF-8: what a protobuf string may hold.
[[nodiscard]] std::string to_utf8(std::string_view text);

template <class Number>
void append_number(std::string& out, Number number) {
    char digits[32];
    const auto end = std::to_chars(digits, digits + sizeof(digits), number).ptr;
    out.append(digits, end);
}

}  // namespace lanyard::observation
