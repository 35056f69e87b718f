#include "base/base64.hpp"

namespace lanyard {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrlAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void encode(std::string& text, ByteView bytes, std::string_view alphabet) {
    std::uint32_t bits = 0;
    int count = 0;
    for (const auto byte : bytes) {
        bits = bits << 8 | byte;
        count += 8;
        while (count >= 6) {
            count -= 6;
            text.push_back(alphabet[bits >> count & 63]);
        }
    }
    if (count > 0) text.push_back(alphabet[bits << (6 - count) & 63]);
}

// The six bits that a character stands for, 64 for none.
std::uint32_t digit(char c) {
    if (c >= 'A' && c <= 'Z') return static_cast<std::uint32_t>(c - 'A');
    if (c >= 'a' && c <= 'z') return static_cast<std::uint32_t>(c - 'a' + 26);
    if (c >= '0' && c <= '9') return static_cast<std::uint32_t>(c - '0' + 52);
    if (c == '+' || c == '-') return 62;
    if (c == '/' || c == '_') return 63;
    return 64;
}

}  // namespace

std::string base64(ByteView bytes) {
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    append_base64(text, bytes);
    return text;
}

void append_base64(std::string& out, ByteView bytes) {
    encode(out, bytes, kAlphabet);
    if (bytes.size() % 3 != 0) out.append(3 - bytes.size() % 3, '=');
}

std::string base64url(ByteView bytes) {
    std::string text;
    text.reserve((bytes.size() * 4 + 2) / 3);
    encode(text, bytes, kUrlAlphabet);
    return text;
}

Result<Bytes> from_base64(std::string_view text) {
    for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
    // One character alone would carry six bits of a byte.
    if (text.size() % 4 == 1) return make_error(Errc::invalid_argument, "base64: incomplete last group");
    Bytes bytes;
    bytes.reserve(text.size() * 3 / 4);
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : text) {
        const std::uint32_t value = digit(c);
        if (value == 64) return make_error(Errc::invalid_argument, "base64: character outside both alphabets");
        bits = bits << 6 | value;
        count += 6;
        if (count < 8) continue;
        count -= 8;
        bytes.push_back(static_cast<std::uint8_t>(bits >> count));
    }
    return bytes;
}

}  // namespace lanyard
