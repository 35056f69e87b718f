#include "runtime/event_loop.hpp"

#include <atomic>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sched.h>

#include "runtime/clock.hpp"
#include "runtime/thread.hpp"

namespace lanyard::runtime {
namespace {

using namespace std::chrono_literals;

Deadline soon() {
    return Deadline::in(10s);
}

struct EventLoopTest : testing::Test {
    void flush() {
        ASSERT_TRUE(loop.run_sync([] {}, soon()));
    }
    EventLoop loop{"test-loop", 4};
};

TEST_F(EventLoopTest, RunsTasksInOrderOnItsOwnThread) {
    std::vector<int> order;
    loop.post([&] { order.push_back(1); });  // also before start()
    loop.start();
    loop.post([&, owned = std::make_unique<int>(2)] { order.push_back(*owned); });
    loop.post([&] { order.push_back(loop.in_loop() ? 3 : 0); });
    flush();
    EXPECT_EQ(order, (std::vector{1, 2, 3}));
    EXPECT_FALSE(loop.in_loop());
    EXPECT_EQ(loop.backlog(), 0U);
}

TEST_F(EventLoopTest, BoundsWorkFromOutsideButNotCompletions) {
    int ran = 0;
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(loop.try_post([&] { ++ran; }));
    EXPECT_FALSE(loop.try_post([&] { ++ran; }));
    loop.post([&] { ++ran; });
    EXPECT_EQ(loop.backlog(), 5U);
    loop.start();
    flush();
    EXPECT_EQ(ran, 5);
    EXPECT_TRUE(loop.try_post([] {}));
}

TEST_F(EventLoopTest, FiresATimerOnceAndNotEarly) {
    loop.start();
    std::promise<SteadyTime> fired;
    const SteadyTime start = steady_now();
    loop.after(2ms, [&] { fired.set_value(steady_now()); });
    EXPECT_GE(fired.get_future().get() - start, 2ms);
}

TEST_F(EventLoopTest, FiresPeriodicallyUntilCancelledFromWithin) {
    loop.start();
    std::promise<void> third;
    int count = 0;
    EventLoop::TimerId id{};
    loop.post([&] {
        id = loop.every(1ms, [&] {
            if (++count < 3) return;
            loop.cancel(id);
            third.set_value();
        });
    });
    third.get_future().get();
    std::promise<void> later;
    loop.after(5ms, [&] { later.set_value(); });
    later.get_future().get();
    EXPECT_EQ(count, 3);
}

TEST_F(EventLoopTest, NeverFiresWhatItsOwnThreadCancelled) {
    loop.start();
    std::atomic<bool> fired{false};
    loop.post([&] { loop.cancel(loop.after(0ms, [&] { fired = true; })); });
    std::promise<void> later;
    loop.after(3ms, [&] { later.set_value(); });
    later.get_future().get();
    EXPECT_FALSE(fired);
    loop.cancel(EventLoop::TimerId::none);
}

TEST_F(EventLoopTest, DestroysTasksThatNeverRan) {
    const auto token = std::make_shared<int>(1);
    {
        EventLoop other("other");
        other.post([token] {});
        other.after(1h, [token] {});
        other.start();
        EXPECT_TRUE(other.run_sync([] {}, soon()));
        other.after(1h, [token] {});
        EXPECT_TRUE(other.stop(soon()));
        other.post([token] {});
        EXPECT_FALSE(other.try_post([token] {}));
    }
    EXPECT_EQ(token.use_count(), 1);
}

TEST_F(EventLoopTest, StopWaitsForTheRunningTaskUntilTheDeadline) {
    loop.start();
    std::promise<void> entered;
    std::promise<void> release;
    loop.post([&] {
        entered.set_value();
        release.get_future().get();
    });
    entered.get_future().get();
    EXPECT_FALSE(loop.stop(Deadline::in(1ms)));
    release.set_value();
    EXPECT_TRUE(loop.stop(soon()));
    EXPECT_TRUE(loop.stop(soon()));
}

TEST_F(EventLoopTest, RunSyncGivesUpAtItsDeadlineAndAfterStop) {
    EXPECT_FALSE(loop.run_sync([] {}, Deadline::in(1ms))) << "not started";
    loop.start();
    EXPECT_TRUE(loop.stop(soon()));
    EXPECT_FALSE(loop.run_sync([] {}, Deadline::never()));
}

TEST_F(EventLoopTest, TakesTasksFromManyThreads) {
    loop.start();
    int count = 0;  // touched by the loop only
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 4; ++t) {
            threads.emplace_back([&] {
                for (int i = 0; i < 500; ++i) {
                    loop.post([&] { ++count; });
                    loop.cancel(loop.after(1h, [] {}));
                }
            });
        }
    }
    flush();
    EXPECT_EQ(count, 2000);
}

TEST(UsableProcessors, AreThoseOfTheAffinity) {
    EXPECT_GE(usable_processors(), 1U);
    unsigned seen = 0;
    Thread pinned("pinned", [&] {
        cpu_set_t first;
        CPU_ZERO(&first);
        cpu_set_t allowed;
        ASSERT_EQ(sched_getaffinity(0, sizeof allowed, &allowed), 0);
        std::size_t cpu = 0;
        while (!CPU_ISSET(cpu, &allowed)) ++cpu;
        CPU_SET(cpu, &first);
        ASSERT_EQ(sched_setaffinity(0, sizeof first, &first), 0);
        seen = usable_processors();
    });
    ASSERT_TRUE(pinned.join(Deadline::never()));
    EXPECT_EQ(seen, 1U);
}

TEST(Thread, JoinsWithinADeadline) {
    std::promise<void> release;
    Thread thread("a-name-longer-than-fifteen", [&] { release.get_future().get(); });
    EXPECT_TRUE(thread.joinable());
    EXPECT_FALSE(thread.join(Deadline::in(1ms)));
    release.set_value();
    EXPECT_TRUE(thread.join(soon()));
    EXPECT_FALSE(thread.joinable());
    EXPECT_TRUE(Thread().join(Deadline::never()));
}

TEST(Clock, ReadsBothClocks) {
    const Now first = now();
    const Now second = now();
    EXPECT_LE(first.steady, second.steady);
    EXPECT_GT(first.wall_ms, 1'700'000'000'000);
}

}  // namespace
}  // namespace lanyard::runtime
