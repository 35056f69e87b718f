#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lanyard::lwm2m {

// The whole text as a decimal integer with optional sign; nullopt when it is anything else or out of range.
std::optional<std::int64_t> parse_int64(std::string_view text);
std::optional<std::uint64_t> parse_uint64(std::string_view text);
// The whole text as a finite decimal number, exponent allowed.
std::optional<double> parse_double(std::string_view text);

// The shortest text that reads back as the same number, never with exponent.
std::string plain_decimal(double number);
// The shortest text that reads back as the same number and is JSON. The number must be finite.
std::string json_number(double number);

}  // namespace lanyard::lwm2m
