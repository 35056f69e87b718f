#pragma once

#include <chrono>
#include <cstdint>

namespace lanyard {

// Time as sans-I/O code sees it: a value handed in by the caller. Steady for timers, wall for records.
using SteadyTime = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;

// Milliseconds since the Unix epoch: how wall time is stored and sent.
using UnixMillis = std::int64_t;

// One reading of both clocks, taken once per batch of datagrams by the I/O layer.
struct Now {
    SteadyTime steady;
    UnixMillis wall_ms = 0;
};

}  // namespace lanyard
