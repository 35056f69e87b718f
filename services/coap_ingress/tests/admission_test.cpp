#include "admission.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <vector>

#include <gtest/gtest.h>

namespace lanyard::coap_ingress {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime kStart = SteadyTime{} + 1000s;

AdmissionConfig config_with(std::size_t window_max) {
    AdmissionConfig config;
    config.window_max = window_max;
    return config;
}

// A registry that stores `rate` Registers a second, one after the other.
class Registry {
  public:
    explicit Registry(double rate)
        : each_(std::chrono::duration_cast<Duration>(std::chrono::duration<double>(1 / rate))) {}

    void take(SteadyTime now) {
        free_at_ = std::max(free_at_, now) + each_;
        waiting_.push_back({now, free_at_});
    }
    // Answers what is done by now; gives how many.
    std::size_t answer(Admission& admission, SteadyTime now) {
        std::size_t answered = 0;
        while (!waiting_.empty() && waiting_.front().done <= now) {
            slowest = std::max(slowest, waiting_.front().done - waiting_.front().sent);
            admission.answered(waiting_.front().sent, waiting_.front().done, true);
            waiting_.pop_front();
            ++answered;
        }
        return answered;
    }
    Duration slowest{0};

  private:
    struct Waiting {
        SteadyTime sent;
        SteadyTime done;
    };
    const Duration each_;
    SteadyTime free_at_;
    std::deque<Waiting> waiting_;
};

// Offers as much as is taken, for so long.
void saturate(Admission& admission, Registry& registry, SteadyTime& now, Duration span) {
    for (const SteadyTime until = now + span; now < until; now += 1ms) {
        registry.answer(admission, now);
        while (!admission.full()) {
            registry.take(now);
            admission.sent();
        }
    }
}

TEST(Admission, IsFullWhenTheWindowAwaitsItsAnswers) {
    Admission admission(config_with(4096), kStart);
    std::size_t sent = 0;
    for (; !admission.full(); ++sent) admission.sent();
    EXPECT_EQ(sent, admission.window());
    EXPECT_EQ(sent, 2048U) << "begins with half of the bound";
    admission.answered(kStart, kStart + 1ms, true);
    EXPECT_FALSE(admission.full());
}

TEST(Admission, GrowsToItsBoundWithAFastRegistry) {
    Admission admission(config_with(4096), kStart);
    Registry registry(40'000);
    SteadyTime now = kStart;
    saturate(admission, registry, now, 5s);
    EXPECT_EQ(admission.window(), 4096U);
    saturate(admission, registry, now, 5s);
    EXPECT_EQ(admission.window(), 4096U);
}

TEST(Admission, DoesNotGrowWhileTheWindowIsNotUsed) {
    Admission admission(config_with(4096), kStart);
    const std::size_t before = admission.window();
    for (int i = 0; i < 1000; ++i) {
        const SteadyTime now = kStart + i * 10ms;
        ASSERT_FALSE(admission.full());
        admission.sent();
        admission.answered(now, now + 1ms, true);
    }
    EXPECT_EQ(admission.window(), before);
}

TEST(Admission, FollowsARegistryThatIsSlow) {
    Admission admission(config_with(4096), kStart);
    Registry registry(500);
    SteadyTime now = kStart;
    saturate(admission, registry, now, 20s);
    registry.slowest = {};
    saturate(admission, registry, now, 20s);
    EXPECT_LE(admission.window(), 500U) << "500 a second, half a second each, and some swing";
    EXPECT_GE(admission.window(), 60U);
    EXPECT_LE(registry.slowest, 1s);
}

TEST(Admission, KeepsAsking) {
    Admission admission(config_with(4096), kStart);
    SteadyTime now = kStart;
    for (int i = 0; i < 100; ++i) {
        ASSERT_FALSE(admission.full());
        admission.sent();
        admission.answered(now, now + 5s, false);
        now += 5s;
    }
    EXPECT_EQ(admission.window(), 16U);
    Registry registry(40'000);
    saturate(admission, registry, now, 10s);
    EXPECT_EQ(admission.window(), 4096U) << "and recovers by itself";
}

TEST(Admission, AFailureCountsAsSlow) {
    Admission admission(config_with(4096), kStart);
    admission.sent();
    admission.answered(kStart, kStart + 300ms, false);
    EXPECT_EQ(admission.window(), 1024U);
}

TEST(Admission, AppointmentsComeAtHalfOfWhatTheRegistryCanDo) {
    Admission admission(config_with(4096), kStart);  // 2048 in half a second: 4096 a second, half of it returning
    std::map<std::uint32_t, int> by_second;
    for (int i = 0; i < 100'000; ++i) ++by_second[admission.retry_after(kStart, 0)];
    EXPECT_EQ(by_second.begin()->first, 5U);
    EXPECT_EQ(by_second.rbegin()->first, 5U + 49U);
    for (const auto& [second, count] : by_second) EXPECT_LE(count, 2049) << second;
}

TEST(Admission, AppointmentsAreNotBookedInThePast) {
    Admission admission(config_with(4096), kStart);
    for (int i = 0; i < 10'000; ++i) (void)admission.retry_after(kStart, 0);
    EXPECT_EQ(admission.retry_after(kStart + 1h, 0), 5U);
}

TEST(Admission, BeyondTheLongestWaitTheWholeRangeIsDrawnFrom) {
    AdmissionConfig config = config_with(64);
    config.retry_max = 10s;
    Admission admission(config, kStart);
    while (admission.retry_after(kStart, 0) != 10U) {
    }
    std::map<std::uint32_t, int> by_second;
    for (std::uint64_t i = 0; i < 6000; ++i) ++by_second[admission.retry_after(kStart, i)];
    EXPECT_EQ(by_second.begin()->first, 5U);
    EXPECT_EQ(by_second.rbegin()->first, 10U);
    for (const auto& [second, count] : by_second) EXPECT_NEAR(count, 1000, 64) << second;
}

// What the parts are for: a herd that keeps its appointments is registered, in bounded time, with bounded waiting.
TEST(Admission, AHerdOfAHundredThousandIsRegistered) {
    constexpr int kHerd = 100'000;
    constexpr int kRate = 8'000;
    Admission admission(config_with(4096), kStart);
    Registry registry(kRate);
    std::multimap<SteadyTime, int> coming;
    for (int i = 0; i < kHerd; ++i) coming.emplace(kStart + i * 10us, i);  // within a second
    std::size_t registered = 0;
    std::size_t pending_max = 0;
    std::size_t refused = 0;
    SteadyTime now = kStart;
    for (; registered < kHerd && now < kStart + 10min; now += 1ms) {
        registered += registry.answer(admission, now);
        while (!coming.empty() && coming.begin()->first <= now) {
            const int device = coming.begin()->second;
            coming.erase(coming.begin());
            if (!admission.full()) {
                registry.take(now);
                admission.sent();
            } else {
                ++refused;
                coming.emplace(
                    now + std::chrono::seconds(admission.retry_after(now, static_cast<std::uint64_t>(device))), device);
            }
        }
        pending_max = std::max(pending_max, admission.pending());
    }
    EXPECT_EQ(registered, static_cast<std::size_t>(kHerd));
    EXPECT_LE(now - kStart, 60s) << "12.5 s at best";
    EXPECT_LE(pending_max, 4096U);
    EXPECT_LE(registry.slowest, 1s) << "an Update in between waits no longer";
    EXPECT_LE(refused, 2U * kHerd) << "few need a second appointment";
}

}  // namespace
}  // namespace lanyard::coap_ingress
