#include "log_format.hpp"

#include <cmath>

#include "base/json_text.hpp"
#include "base/rfc3339.hpp"

namespace lanyard::telemetry {
namespace {

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
        append_json_string(out, text);
    }
}

void append_value(const FieldValue& value, bool json, std::string& out) {
    if (const auto* text = std::get_if<std::string_view>(&value)) {
        json ? append_json_string(out, cut(*text)) : append_text(cut(*text), out);
    } else if (const auto* flag = std::get_if<bool>(&value)) {
        out += *flag ? "true" : "false";
    } else if (const auto* real = std::get_if<double>(&value)) {
        // JSON has no NaN and no infinity.
        json && !std::isfinite(*real) ? void(out += "null") : append_number(out, *real);
    } else if (const auto* integer = std::get_if<std::int64_t>(&value)) {
        append_number(out, *integer);
    } else {
        append_number(out, std::get<std::uint64_t>(value));
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

std::string format_json(const LogLine& line) {
    std::string out;
    out.reserve(256);
    out += "{\"ts\":\"";
    append_rfc3339(out, line.wall_ms);
    out += "\",\"level\":\"";
    out += to_string(line.level);
    out += "\",\"service\":";
    append_json_string(out, line.service);
    out += ",\"msg\":";
    append_json_string(out, cut(line.message));
    for (const Field& field : line.fields) {
        out += ',';
        append_json_string(out, field.key);
        out += ':';
        append_value(field.value, true, out);
    }
    out += "}\n";
    return out;
}

std::string format_text(const LogLine& line) {
    std::string out;
    out.reserve(256);
    append_rfc3339(out, line.wall_ms);
    out += ' ';
    out += padded_level(line.level);
    out += ' ';
    out += line.service;
    out += ": ";
    // The message is ours, but may quote a peer: only what could break the line is escaped.
    std::string message;
    append_json_string(message, cut(line.message));
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
