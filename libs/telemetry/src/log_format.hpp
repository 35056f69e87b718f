#pragma once

#include <string>
#include <string_view>

#include "telemetry/log.hpp"

namespace lanyard::telemetry {

// One log line as values; everything is borrowed.
struct LogLine {
    UnixMillis wall_ms = 0;
    Level level = Level::info;
    std::string_view service;
    std::string_view message;
    Fields fields;
};

// "2026-01-31T08:00:00.000Z" (RFC 3339, UTC).
void append_timestamp(UnixMillis wall_ms, std::string& out);
// A JSON string with its quotes (RFC 8259 section 7). Invalid UTF-8 becomes U+FFFD.
void append_json_string(std::string_view text, std::string& out);

// The line with its newline. Never holds a second newline, whatever the values are.
std::string format_json(const LogLine& line);
std::string format_text(const LogLine& line);

}  // namespace lanyard::telemetry
