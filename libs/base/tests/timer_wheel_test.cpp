#include "base/timer_wheel.hpp"

#include <map>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace lanyard {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

const SteadyTime kOrigin{seconds(1000)};

std::vector<TimerWheel::Id> advance(TimerWheel& wheel, SteadyTime now) {
    std::vector<TimerWheel::Id> expired;
    wheel.advance(now, [&](TimerWheel::Id id) { expired.push_back(id); });
    return expired;
}

TEST(TimerWheel, FiresAtTheDeadlineAndNotBefore) {
    TimerWheel wheel(kOrigin);
    wheel.schedule(3, kOrigin + milliseconds(50));
    EXPECT_TRUE(advance(wheel, kOrigin + milliseconds(49)).empty());
    EXPECT_EQ(advance(wheel, kOrigin + milliseconds(50)), std::vector<TimerWheel::Id>{3});
    EXPECT_FALSE(wheel.is_scheduled(3));
    EXPECT_EQ(wheel.size(), 0U);
}

TEST(TimerWheel, RoundsUpToItsTick) {
    TimerWheel wheel(kOrigin, milliseconds(10));
    wheel.schedule(0, kOrigin + milliseconds(11));
    EXPECT_TRUE(advance(wheel, kOrigin + milliseconds(19)).empty());
    EXPECT_EQ(advance(wheel, kOrigin + milliseconds(20)).size(), 1U);
}

TEST(TimerWheel, FiresAnOverdueTimerOnTheNextTick) {
    TimerWheel wheel(kOrigin);
    advance(wheel, kOrigin + seconds(9));
    wheel.schedule(1, kOrigin + seconds(2));
    EXPECT_EQ(advance(wheel, kOrigin + seconds(9) + milliseconds(1)).size(), 1U);
}

TEST(TimerWheel, CancelsAndMoves) {
    TimerWheel wheel(kOrigin);
    wheel.schedule(1, kOrigin + seconds(1));
    wheel.schedule(2, kOrigin + seconds(1));
    wheel.schedule(2, kOrigin + seconds(5));
    EXPECT_EQ(wheel.size(), 2U);
    EXPECT_TRUE(wheel.cancel(1));
    EXPECT_FALSE(wheel.cancel(1));
    EXPECT_FALSE(wheel.cancel(77));
    EXPECT_TRUE(advance(wheel, kOrigin + seconds(4)).empty());
    EXPECT_EQ(advance(wheel, kOrigin + seconds(5)), std::vector<TimerWheel::Id>{2});
}

TEST(TimerWheel, KeepsTimersOfDaysExact) {
    TimerWheel wheel(kOrigin);
    wheel.schedule(1, kOrigin + hours(25) + milliseconds(7));
    wheel.schedule(2, kOrigin + hours(24 * 20));
    EXPECT_TRUE(advance(wheel, kOrigin + hours(25) + milliseconds(6)).empty());
    EXPECT_EQ(advance(wheel, kOrigin + hours(25) + milliseconds(7)), std::vector<TimerWheel::Id>{1});
    EXPECT_TRUE(advance(wheel, kOrigin + hours(24 * 20) - milliseconds(1)).empty());
    EXPECT_EQ(advance(wheel, kOrigin + hours(24 * 20)), std::vector<TimerWheel::Id>{2});
}

TEST(TimerWheel, CutsDelaysBeyondItsReach) {
    TimerWheel wheel(kOrigin);
    wheel.schedule(1, kOrigin + hours(24 * 365));
    EXPECT_TRUE(advance(wheel, kOrigin + wheel.max_delay() - milliseconds(1)).empty());
    EXPECT_EQ(advance(wheel, kOrigin + wheel.max_delay()).size(), 1U);
}

TEST(TimerWheel, WorksAfterManyMonthsOfUptime) {
    TimerWheel wheel(kOrigin);
    const SteadyTime later = kOrigin + hours(24 * 400);  // the low 32 bits of the tick have wrapped several times
    advance(wheel, later);
    wheel.schedule(1, later + hours(30));
    EXPECT_TRUE(advance(wheel, later + hours(30) - milliseconds(1)).empty());
    EXPECT_EQ(advance(wheel, later + hours(30)).size(), 1U);
}

TEST(TimerWheel, LetsTheCallbackScheduleAndCancel) {
    TimerWheel wheel(kOrigin);
    wheel.schedule(1, kOrigin + seconds(1));
    wheel.schedule(2, kOrigin + seconds(1));
    int fired = 0;
    wheel.advance(kOrigin + seconds(10), [&](TimerWheel::Id id) {
        ++fired;
        wheel.cancel(id == 1 ? 2 : 1);
        if (fired < 5) wheel.schedule(id, kOrigin + seconds(1 + fired));
    });
    EXPECT_EQ(fired, 5);
    EXPECT_EQ(wheel.size(), 0U);
}

TEST(TimerWheel, NamesATimeToWakeThatIsNeverTooLate) {
    TimerWheel wheel(kOrigin);
    EXPECT_FALSE(wheel.next_deadline().has_value());
    const SteadyTime deadline = kOrigin + seconds(3000);
    wheel.schedule(1, deadline);
    int wakes = 0;
    SteadyTime now = kOrigin;
    while (wheel.is_scheduled(1)) {
        ASSERT_TRUE(wheel.next_deadline().has_value());
        ASSERT_GT(*wheel.next_deadline(), now);
        now = *wheel.next_deadline();
        ASSERT_LE(now, deadline);
        advance(wheel, now);
        ASSERT_LT(++wakes, 8);
    }
    EXPECT_EQ(now, deadline);
}

TEST(TimerWheel, AgreesWithASortedMapOverRandomOperations) {
    std::mt19937 random(42);
    TimerWheel wheel(kOrigin);
    std::map<TimerWheel::Id, SteadyTime> model;
    SteadyTime now = kOrigin;
    for (int step = 0; step < 100'000; ++step) {
        const auto id = static_cast<TimerWheel::Id>(random() % 500);
        const unsigned choice = random() % 8;
        if (choice < 5) {
            const auto spread = 1U << (random() % 26);
            const SteadyTime deadline = now + milliseconds(1 + random() % spread);
            wheel.schedule(id, deadline);
            model[id] = deadline;
        } else if (choice == 5) {
            ASSERT_EQ(wheel.cancel(id), model.erase(id) == 1);
        } else {
            now += milliseconds(random() % (1U << (random() % 18)));
            wheel.advance(now, [&](TimerWheel::Id expired) {
                ASSERT_TRUE(model.contains(expired));
                ASSERT_LE(model[expired], now);
                model.erase(expired);
            });
            for (const auto& [armed, deadline] : model) ASSERT_GT(deadline, now) << armed;
        }
        ASSERT_EQ(wheel.size(), model.size());
    }
}

}  // namespace
}  // namespace lanyard
