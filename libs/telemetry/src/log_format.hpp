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

// The line with its newline. Never holds a second newline, whatever the values are.
std::string format_json(const LogLine& line);
std::string format_text(const LogLine& line);

}  // namespace lanyard::telemetry
