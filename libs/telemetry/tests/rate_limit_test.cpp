#include "telemetry/rate_limit.hpp"

#include <array>
#include <string>

#include <gtest/gtest.h>

namespace lanyard::telemetry {
namespace {

using namespace std::chrono_literals;

TEST(RateLimit, LetsTheFirstLineThroughAndCountsTheRest) {
    RateLimit limit(5s);
    const SteadyTime t0{};
    EXPECT_EQ(limit.admit("bad", t0), 0U);
    EXPECT_EQ(limit.admit("bad", t0 + 1s), std::nullopt);
    EXPECT_EQ(limit.admit("bad", t0 + 4999ms), std::nullopt);
    EXPECT_EQ(limit.admit("bad", t0 + 5s), 2U);
    EXPECT_EQ(limit.admit("bad", t0 + 20s), 0U);
}

TEST(RateLimit, KeepsKeysApart) {
    RateLimit limit(5s);
    EXPECT_TRUE(limit.admit("a", SteadyTime{}));
    EXPECT_TRUE(limit.admit("b", SteadyTime{}));
    EXPECT_FALSE(limit.admit("a", SteadyTime{}));
}

TEST(RateLimit, SharesASlotWhenThereAreTooManyKeys) {
    RateLimit limit(5s);
    std::vector<std::string> keys;
    for (std::size_t i = 0; i < RateLimit::kMaxKeys + 10; ++i) keys.push_back(std::to_string(i));
    std::size_t admitted = 0;
    for (const auto& key : keys) admitted += limit.admit(key, SteadyTime{}) ? 1U : 0U;
    EXPECT_EQ(admitted, RateLimit::kMaxKeys);
}

}  // namespace
}  // namespace lanyard::telemetry
