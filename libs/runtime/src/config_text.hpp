#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "runtime/config.hpp"

namespace lanyard::runtime {

// What a value may be, as the end of the sentence "is not allowed, expected ...".
std::string describe(IntRange range);
std::string describe(NumberRange range);
std::string describe(DurationRange range);

// A double-quoted YAML (and JSON) string.
std::string quoted(std::string_view text);
// At least one line; each starts with `indent`, no line is longer than 118 characters if words allow.
std::string comment(std::string_view text, std::string_view indent);
// `indent` in front of every line.
std::string indented(std::string_view lines, std::string_view indent);

// "coap.max_message-size" -> "LANYARD_COAP_MAX_MESSAGE_SIZE"
std::string environment_name(std::string_view key);

// The known name that someone who wrote `unknown` probably meant, or nothing.
std::string nearest(std::string_view unknown, const std::vector<std::string>& known);

}  // namespace lanyard::runtime
