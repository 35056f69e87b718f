#pragma once

#include <cstdint>

#include "base/time.hpp"

namespace lanyard::device {

// A small deterministic random generator (xorshift32, Marsaglia 2003) whose state fits into a device record.
class SmallRandom {
  public:
    SmallRandom() = default;
    SmallRandom(std::uint64_t seed, std::uint64_t stream);

    std::uint32_t next();
    // Evenly in [0, bound), bound above 0.
    std::uint32_t below(std::uint32_t bound) {
        return static_cast<std::uint32_t>((std::uint64_t{next()} * bound) >> 32);
    }

  private:
    std::uint32_t state_ = 1;
};

// Temperature in hundredths of a degree Celsius, so that what is sent is the same decimal number everywhere.
using CentiCelsius = std::int16_t;

inline double degrees(CentiCelsius value) {
    return value / 100.0;
}

// One simulated thermometer: a random walk around a daily curve (coldest at 05:00 UTC, warmest at 17:00).
struct TemperatureSensor {
    CentiCelsius value = 2100;
    CentiCelsius min = 2100;  // since the last reset
    CentiCelsius max = 2100;

    // Sets a first value for this time of day and clears min and max.
    void start(SmallRandom& random, UnixMillis wall_ms);
    // Measures once.
    void sample(SmallRandom& random, UnixMillis wall_ms);
    // The next number instead of a measurement; 327.67 is followed by -327.68.
    void count();
    void reset_min_max() { min = max = value; }
};

}  // namespace lanyard::device
