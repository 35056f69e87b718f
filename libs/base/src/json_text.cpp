#include "base/json_text.hpp"

#include <algorithm>

#include "base/utf8.hpp"

namespace lanyard {
namespace {

bool is_plain(char c) {
    const auto u = static_cast<unsigned char>(c);
    return u >= 0x20 && u < 0x7f && c != '"' && c != '\\';
}

void append_escaped(std::string& out, unsigned char c) {
    static constexpr char kHex[] = "0123456789abcdef";
    switch (c) {
        case '"':
            out += "\\\"";
            break;
        case '\\':
            out += "\\\\";
            break;
        case '\n':
            out += "\\n";
            break;
        case '\r':
            out += "\\r";
            break;
        case '\t':
            out += "\\t";
            break;
        default:
            out += "\\u00";
            out += kHex[c >> 4];
            out += kHex[c & 15];
    }
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
    out += '"';
    std::size_t at = 0;
    while (at < text.size()) {
        const auto stop = std::find_if_not(text.begin() + static_cast<std::ptrdiff_t>(at), text.end(), is_plain);
        const auto run = static_cast<std::size_t>(stop - text.begin()) - at;
        out.append(text.substr(at, run));
        at += run;
        if (at == text.size()) break;
        const auto c = static_cast<unsigned char>(text[at]);
        if (c < 0x80) {
            append_escaped(out, c);
            ++at;
        } else if (const std::size_t length = utf8_length(text, at); length > 0) {
            out.append(text.substr(at, length));
            at += length;
        } else {
            out += "\\ufffd";
            ++at;
        }
    }
    out += '"';
}

}  // namespace lanyard
