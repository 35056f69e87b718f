#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace lanyard::lwm2m {

// Unix seconds of an RFC 3339 date and time, "2013-03-21T20:04:00Z" or with an offset "+01:00"; fractions of a
// second are cut off. nullopt for anything else.
std::optional<std::int64_t> parse_date_time(std::string_view text);

}  // namespace lanyard::lwm2m
