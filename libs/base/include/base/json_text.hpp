#pragma once

#include <charconv>
#include <string>
#include <string_view>

namespace lanyard {

// Pieces of JSON (RFC 8259) at the end of `out`.

// `text` in quotes, control characters and DEL escaped; bytes that are not UTF-8 become \ufffd.
void append_json_string(std::string& out, std::string_view text);

// The shortest digits that read back the same. NaN and infinity, which JSON does not have, come as words.
template <class Number>
void append_number(std::string& out, Number number) {
    char digits[32];
    const auto end = std::to_chars(digits, digits + sizeof(digits), number).ptr;
    out.append(digits, end);
}

}  // namespace lanyard
