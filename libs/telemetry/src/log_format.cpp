#include "log_format.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>

namespace lanyard::telemetry {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

template <class T>
void append_number(T value, std::string& out) {
    std::array<char, 32> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    out.append(digits.data(), end);
}

void append_padded(unsigned value, unsigned width, std::string& out) {
    std::array<char, 10> digits;
    for (unsigned i = width; i > 0; --i, value /= 10) digits[i - 1] = static_cast<char>('0' + value % 10);
    out.append(digits.data(), width);
}

std::uint8_t byte_at(std::string_view text, std::size_t i) {
    return static_cast<std::uint8_t>(text[i]);
}

// The length of the well-formed UTF-8 sequence that starts at `i`, or 0 (Unicode 15 table 3-7).
std::size_t utf8_length(std::string_view text, std::size_t i) {
    const std::uint8_t lead = byte_at(text, i);
    if (lead < 0x80) return 1;
    const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || i + length > text.size()) return 0;
    std::uint8_t low = 0x80;
    std::uint8_t high = 0xbf;
    if (lead == 0xe0) low = 0xa0;
    if (lead == 0xed) high = 0x9f;
    if (lead == 0xf0) low = 0x90;
    if (lead == 0xf4) high = 0x8f;
    if (byte_at(text, i + 1) < low || byte_at(text, i + 1) > high) return 0;
    for (std::size_t k = 2; k < length; ++k) {
        if ((byte_at(text, i + k) & 0xc0) != 0x80) return 0;
    }
    return length;
}

void append_json_ascii(char c, std::string& out) {
    switch (c) {
        case '"':
            out += "\\\"";
            return;
        case '\\':
            out += "\\\\";
            return;
        case '\n':
            out += "\\n";
            return;
        case '\r':
            out += "\\r";
            return;
        case '\t':
            out += "\\t";
            return;
        default:
            break;
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
        out += "\\u00";
        out += kHexDigits[static_cast<unsigned char>(c) >> 4];
        out += kHexDigits[static_cast<unsigned char>(c) & 0xf];
    } else {
        out += c;
    }
}

std::string_view cut(std::string_view text) {
    return text.substr(0, Logger::kMaxValueBytes);
}

// A name as it is when it needs no quotes in a key=value line.
bool is_plain(std::string_view text) {
    for (const char c : text) {
        if (c <= ' ' || c == '"' || c == '=' || c == '\\' || static_cast<unsigned char>(c) >= 0x7f) return false;
    }
    return !text.empty();
}

void append_text(std::string_view text, std::string& out) {
    if (is_plain(text)) {
        out += text;
    } else {
        append_json_string(text, out);
    }
}

void append_value(const FieldValue& value, bool json, std::string& out) {
    if (const auto* text = std::get_if<std::string_view>(&value)) {
        json ? append_json_string(cut(*text), out) : append_text(cut(*text), out);
    } else if (const auto* flag = std::get_if<bool>(&value)) {
        out += *flag ? "true" : "false";
    } else if (const auto* real = std::get_if<double>(&value)) {
        // JSON has no NaN and no infinity.
        json && !std::isfinite(*real) ? void(out += "null") : append_number(*real, out);
    } else if (const auto* integer = std::get_if<std::int64_t>(&value)) {
        append_number(*integer, out);
    } else {
        append_number(std::get<std::uint64_t>(value), out);
    }
}

std::string_view padded_level(Level level) {
    switch (level) {
        case Level::debug:
            return "DEBUG";
        case Level::info:
            return "INFO ";
        case Level::warn:
            return "WARN ";
        default:
            return "ERROR";
    }
}

}  // namespace

void append_timestamp(UnixMillis wall_ms, std::string& out) {
    using namespace std::chrono;
    const sys_time<milliseconds> when{milliseconds(wall_ms)};
    const auto day = floor<days>(when);
    const year_month_day date(day);
    const hh_mm_ss<milliseconds> time(when - day);
    append_padded(static_cast<unsigned>(static_cast<int>(date.year())), 4, out);
    out += '-';
    append_padded(static_cast<unsigned>(date.month()), 2, out);
    out += '-';
    append_padded(static_cast<unsigned>(date.day()), 2, out);
    out += 'T';
    append_padded(static_cast<unsigned>(time.hours().count()), 2, out);
    out += ':';
    append_padded(static_cast<unsigned>(time.minutes().count()), 2, out);
    out += ':';
    append_padded(static_cast<unsigned>(time.seconds().count()), 2, out);
    out += '.';
    append_padded(static_cast<unsigned>(time.subseconds().count()), 3, out);
    out += 'Z';
}

void append_json_string(std::string_view text, std::string& out) {
    out += '"';
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t length = utf8_length(text, i);
        if (length == 1) {
            append_json_ascii(text[i], out);
        } else if (length == 0) {
            out += "\\ufffd";
        } else {
            out += text.substr(i, length);
        }
        i += length == 0 ? 1 : length;
    }
    out += '"';
}

std::string format_json(const LogLine& line) {
    std::string out;
    out.reserve(256);
    out += "{\"ts\":\"";
    append_timestamp(line.wall_ms, out);
    out += "\",\"level\":\"";
    out += to_string(line.level);
    out += "\",\"service\":";
    append_json_string(line.service, out);
    out += ",\"msg\":";
    append_json_string(cut(line.message), out);
    for (const Field& field : line.fields) {
        out += ',';
        append_json_string(field.key, out);
        out += ':';
        append_value(field.value, true, out);
    }
    out += "}\n";
    return out;
}

std::string format_text(const LogLine& line) {
    std::string out;
    out.reserve(256);
    append_timestamp(line.wall_ms, out);
    out += ' ';
    out += padded_level(line.level);
    out += ' ';
    out += line.service;
    out += ": ";
    // The message is ours, but may quote a peer: only what could break the line is escaped.
    std::string message;
    append_json_string(cut(line.message), message);
    out += message.find('\\') == std::string::npos ? cut(line.message) : std::string_view(message);
    for (const Field& field : line.fields) {
        out += ' ';
        out += field.key;
        out += '=';
        append_value(field.value, false, out);
    }
    out += '\n';
    return out;
}

}  // namespace lanyard::telemetry
