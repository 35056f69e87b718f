#pragma once

#include <string>

#include "base/time.hpp"

namespace lanyard {

// "2025-11-24T15:20:00.123Z" (RFC 3339, UTC) at the end of `out`. Times outside the years 0 to 9999 are clamped.
void append_rfc3339(std::string& out, UnixMillis time_ms);

}  // namespace lanyard
