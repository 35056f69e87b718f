#include "runtime/health.hpp"

#include <thread>

#include <gtest/gtest.h>

#include "runtime/deadline.hpp"

namespace lanyard::runtime {
namespace {

using namespace std::chrono_literals;

struct HealthTest : testing::Test {
    SteadyTime now{};
    HealthBoard board{[this] { return now; }};
};

TEST_F(HealthTest, IsReadyWhenEveryRequiredDependencyIs) {
    EXPECT_TRUE(board.ready());
    const auto redis = board.add({.name = "redis", .tolerance = 10s});
    const auto kafka = board.add({.name = "kafka", .required = false});
    EXPECT_FALSE(board.ready()) << "never up yet, so the tolerance does not count";
    redis.ok();
    EXPECT_TRUE(board.ready());
    kafka.down("no broker");
    EXPECT_TRUE(board.ready());
    redis.degraded("slow");
    EXPECT_TRUE(board.ready());
}

TEST_F(HealthTest, ToleratesAShortOutageOfWhatWasUp) {
    const auto redis = board.add({.name = "redis", .tolerance = 10s});
    redis.ok();
    redis.down("connection refused");
    now += 6s;
    redis.down("connection refused, still");
    EXPECT_TRUE(board.ready());
    now += 4s;
    EXPECT_FALSE(board.ready());
    redis.ok();
    EXPECT_TRUE(board.ready());
}

TEST_F(HealthTest, IsNotReadyWhileDraining) {
    board.set_draining();
    EXPECT_FALSE(board.ready());
    EXPECT_TRUE(board.report().draining);
}

TEST_F(HealthTest, ReportsStateDetailAndAge) {
    const auto redis = board.add({.name = "redis"});
    now += 3s;
    const auto report = board.report();
    ASSERT_EQ(report.lines.size(), 1U);
    EXPECT_EQ(report.lines[0].name, "redis");
    EXPECT_EQ(report.lines[0].state, HealthState::down);
    EXPECT_EQ(report.lines[0].detail, "starting");
    EXPECT_EQ(report.lines[0].since, 3s);
    redis.ok();
    EXPECT_EQ(board.report().lines[0].detail, "");
    EXPECT_EQ(board.report().lines[0].since, 0s);
}

class MemorySink final : public telemetry::LogSink {
  public:
    void write(std::string_view line) override { lines.emplace_back(line.substr(line.find("\"msg\""))); }
    std::vector<std::string> lines;
};

TEST_F(HealthTest, LogsEachChangeOnce) {
    const auto sink = std::make_shared<MemorySink>();
    const telemetry::Logger log("registry", {}, sink);
    board.log_changes(log);
    const auto redis = board.add({.name = "redis"});
    redis.down("refused, next try in 1 s");
    redis.down("refused, next try in 2 s");
    redis.ok();
    redis.ok();
    ASSERT_EQ(sink->lines.size(), 2U);
    EXPECT_EQ(
        sink->lines[0],
        "\"msg\":\"dependency\",\"name\":\"redis\",\"state\":\"down\",\"detail\":\"refused, next try in 1 s\"}\n");
    EXPECT_EQ(sink->lines[1], "\"msg\":\"dependency\",\"name\":\"redis\",\"state\":\"ok\",\"detail\":\"\"}\n");
}

TEST(HealthBoard, MayBeSetAndReadFromManyThreads) {
    HealthBoard board;
    const auto redis = board.add({.name = "redis"});
    std::vector<std::jthread> threads;
    for (int t = 0; t < 3; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < 200; ++i) {
                redis.down("x");
                redis.ok();
                EXPECT_EQ(board.report().lines.size(), 1U);
            }
        });
    }
    threads.clear();
    EXPECT_TRUE(board.ready());
}

TEST(Deadline, CountsDownAndStopsAtZero) {
    const SteadyTime t0{100s};
    const Deadline deadline = Deadline::after(5s, t0);
    EXPECT_EQ(deadline.remaining(t0 + 2s), 3s);
    EXPECT_FALSE(deadline.expired(t0 + 4999ms));
    EXPECT_TRUE(deadline.expired(t0 + 5s));
    EXPECT_EQ(deadline.remaining(t0 + 9s), 0s);
    EXPECT_TRUE(Deadline::after(-1s, t0).expired(t0));
}

TEST(Deadline, NeverOverflows) {
    const SteadyTime t0{100s};
    EXPECT_TRUE(Deadline::after(Duration::max(), t0).is_never());
    EXPECT_EQ(Deadline::never().remaining(t0), Duration::max());
    EXPECT_FALSE(Deadline::never().expired(t0));
    EXPECT_EQ(min(Deadline::never(), Deadline::at(t0)), Deadline::at(t0));
}

}  // namespace
}  // namespace lanyard::runtime
