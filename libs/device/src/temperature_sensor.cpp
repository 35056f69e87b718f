#include "device/temperature_sensor.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "base/hash.hpp"

namespace lanyard::device {
namespace {

constexpr UnixMillis kDayMs = 86'400'000;
constexpr double kMeanCenti = 2100;
constexpr double kAmplitudeCenti = 400;
constexpr int kStepCenti = 12;    // half width of one random step
constexpr int kPullDivisor = 32;  // the walk returns to the curve within some tens of samples

int daily_curve(UnixMillis wall_ms) {
    const double day = static_cast<double>(((wall_ms % kDayMs) + kDayMs) % kDayMs) / kDayMs;
    return static_cast<int>(kMeanCenti - kAmplitudeCenti * std::cos(2 * std::numbers::pi * (day - 5.0 / 24)));
}

CentiCelsius clamp(int centi) {
    return static_cast<CentiCelsius>(std::clamp(centi, -4000, 8500));
}

}  // namespace

SmallRandom::SmallRandom(std::uint64_t seed, std::uint64_t stream) {
    const auto mixed = static_cast<std::uint32_t>(mix64(mix64(seed) + stream + 1));
    state_ = mixed == 0 ? 1 : mixed;
}

std::uint32_t SmallRandom::next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 17;
    state_ ^= state_ << 5;
    return state_;
}

void TemperatureSensor::start(SmallRandom& random, UnixMillis wall_ms) {
    value = clamp(daily_curve(wall_ms) + static_cast<int>(random.below(301)) - 150);
    reset_min_max();
}

void TemperatureSensor::sample(SmallRandom& random, UnixMillis wall_ms) {
    const int pull = (daily_curve(wall_ms) - value) / kPullDivisor;
    const int step = static_cast<int>(random.below(2 * kStepCenti + 1)) - kStepCenti;
    value = clamp(value + pull + step);
    min = std::min(min, value);
    max = std::max(max, value);
}

void TemperatureSensor::count() {
    constexpr auto kGreatest = std::numeric_limits<CentiCelsius>::max();
    value = value == kGreatest ? std::numeric_limits<CentiCelsius>::min() : static_cast<CentiCelsius>(value + 1);
    min = std::min(min, value);
    max = std::max(max, value);
}

}  // namespace lanyard::device
