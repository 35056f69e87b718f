#include "telemetry/metrics.hpp"

#include <array>
#include <thread>

#include <gmock/gmock.h>

#include "telemetry/process_metrics.hpp"

namespace lanyard::telemetry {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Metrics, ExposesCountersAsPrometheusText) {
    MetricRegistry registry;
    registry.counter("lanyard_coap_messages_total", "Messages.", {{"direction", "in"}}).add(3);
    EXPECT_EQ(registry.expose(),
              "# HELP lanyard_coap_messages_total Messages.\n"
              "# TYPE lanyard_coap_messages_total counter\n"
              "lanyard_coap_messages_total{direction=\"in\"} 3\n");
}

TEST(Metrics, GivesTheSameObjectForTheSameNameAndLabels) {
    MetricRegistry registry;
    Counter& a = registry.counter("lanyard_x_total", "X.", {{"a", "1"}, {"b", "2"}});
    EXPECT_EQ(&a, &registry.counter("lanyard_x_total", "X.", {{"b", "2"}, {"a", "1"}}));
    EXPECT_NE(&a, &registry.counter("lanyard_x_total", "X.", {{"a", "2"}, {"b", "2"}}));
    EXPECT_EQ(&registry.gauge("lanyard_g", "G."), &registry.gauge("lanyard_g", "G."));
}

TEST(Metrics, SumsShardCountersAndCallbacksOfOneSeries) {
    MetricRegistry registry;
    ShardCounter& one = registry.shard_counter("lanyard_y_total", "Y.");
    ShardCounter& two = registry.shard_counter("lanyard_y_total", "Y.");
    EXPECT_NE(&one, &two);
    const auto callback = registry.counter_callback("lanyard_y_total", "Y.", {}, [] { return 100U; });
    one.add(1);
    two.add(20);
    EXPECT_THAT(registry.expose(), HasSubstr("lanyard_y_total 121\n"));
}

TEST(Metrics, ForgetsACallbackThatIsGone) {
    MetricRegistry registry;
    {
        auto first = registry.gauge_callback("lanyard_depth", "D.", {}, [] { return 4.0; });
        const auto moved = std::move(first);
        EXPECT_THAT(registry.expose(), HasSubstr("lanyard_depth 4\n"));
    }
    EXPECT_THAT(registry.expose(), Not(HasSubstr("lanyard_depth")));
}

TEST(Metrics, ExposesGaugesThatMoveBothWays) {
    MetricRegistry registry;
    Gauge& gauge = registry.gauge("lanyard_sessions", "S.");
    gauge.set(5);
    gauge.add(-1.5);
    EXPECT_THAT(registry.expose(), HasSubstr("# TYPE lanyard_sessions gauge\nlanyard_sessions 3.5\n"));
}

TEST(Metrics, PutsAValueOnABoundIntoThatBucket) {
    MetricRegistry registry;
    const std::array<double, 2> bounds{0.1, 1};
    Histogram& histogram = registry.histogram("lanyard_wait_seconds", "W.", bounds);
    for (const double value : {0.05, 0.1, 0.5, 7.0}) histogram.observe(value);
    EXPECT_EQ(registry.expose(),
              "# HELP lanyard_wait_seconds W.\n"
              "# TYPE lanyard_wait_seconds histogram\n"
              "lanyard_wait_seconds_count 4\n"
              "lanyard_wait_seconds_sum 7.65\n"
              "lanyard_wait_seconds_bucket{le=\"0.1\"} 2\n"
              "lanyard_wait_seconds_bucket{le=\"1\"} 3\n"
              "lanyard_wait_seconds_bucket{le=\"+Inf\"} 4\n");
}

TEST(Metrics, EscapesLabelValues) {
    MetricRegistry registry;
    registry.counter("lanyard_z_total", "Z.", {{"reason", "a\"b\\c\nd"}}).add();
    EXPECT_THAT(registry.expose(), HasSubstr(R"(reason="a\"b\\c\nd")"));
}

TEST(Metrics, CountsFromManyThreadsWhileScraped) {
    MetricRegistry registry;
    Counter& counter = registry.counter("lanyard_t_total", "T.");
    Histogram& histogram = registry.histogram("lanyard_t_seconds", "T.", latency_buckets());
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([&] {
                ShardCounter& mine = registry.shard_counter("lanyard_shards_total", "T.");
                for (int n = 0; n < 1000; ++n) {
                    counter.add();
                    mine.add();
                    histogram.observe(0.001);
                }
            });
        }
        for (int i = 0; i < 10; ++i) EXPECT_FALSE(registry.expose().empty());
    }
    EXPECT_THAT(registry.expose(), HasSubstr("lanyard_t_total 4000\n"));
    EXPECT_THAT(registry.expose(), HasSubstr("lanyard_shards_total 4000\n"));
    EXPECT_THAT(registry.expose(), HasSubstr("lanyard_t_seconds_count 4000\n"));
}

TEST(Metrics, ShowsTheProcessAndItsBuild) {
    MetricRegistry registry;
    const auto callbacks = add_process_metrics(registry);
    const std::string text = registry.expose();
    EXPECT_THAT(text, HasSubstr("lanyard_build_info{"));
    EXPECT_THAT(text, HasSubstr("# TYPE process_cpu_seconds_total counter\n"));
    EXPECT_THAT(text, HasSubstr("process_start_time_seconds 1"));
    EXPECT_THAT(text, Not(HasSubstr("process_resident_memory_bytes 0\n")));
    EXPECT_THAT(text, Not(HasSubstr("process_open_fds 0\n")));
}

TEST(MetricsDeathTest, RefusesAnotherTypeUnderTheSameName) {
    testing::GTEST_FLAG(death_test_style) = "threadsafe";
    MetricRegistry registry;
    registry.gauge("lanyard_q", "Q.");
    EXPECT_DEATH(registry.counter("lanyard_q", "Q."), "type == type");
    EXPECT_DEATH(registry.counter("lanyard-q", "Q."), "valid_name");
}

}  // namespace
}  // namespace lanyard::telemetry
