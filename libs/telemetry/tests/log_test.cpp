#include "telemetry/log.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/secret.hpp"

namespace lanyard::telemetry {
namespace {

class MemorySink final : public LogSink {
  public:
    void write(std::string_view line) override { lines.emplace_back(line); }
    std::vector<std::string> lines;
};

constexpr UnixMillis kNoon = 1767268800123;  // 2026-01-01T12:00:00.123Z

struct LogTest : testing::Test {
    std::shared_ptr<MemorySink> sink = std::make_shared<MemorySink>();
    Logger make(LogOptions options = {}) {
        return Logger("registry", options, sink, [] { return kNoon; });
    }
    std::string last() const { return sink->lines.empty() ? "" : sink->lines.back(); }
};

TEST_F(LogTest, WritesOneJsonObjectWithFieldsInOrder) {
    const std::string tenant = "acme";
    make().info(
        "registered",
        {{"tenant", tenant}, {"n", 3}, {"big", std::size_t{7}}, {"ratio", 0.5}, {"sleepy", true}, {"neg", -1L}});
    EXPECT_EQ(last(),
              "{\"ts\":\"2026-01-01T12:00:00.123Z\",\"level\":\"info\",\"service\":\"registry\",\"msg\":\"registered\","
              "\"tenant\":\"acme\",\"n\":3,\"big\":7,\"ratio\":0.5,\"sleepy\":true,\"neg\":-1}\n");
}

TEST_F(LogTest, WritesTextForPeopleAndQuotesOnlyWhatNeedsIt) {
    make({Level::info, LogFormat::text}).warn("redis is away", {{"wait_ms", 250}, {"why", "no route"}, {"to", "a:1"}});
    EXPECT_EQ(last(), "2026-01-01T12:00:00.123Z WARN  registry: redis is away wait_ms=250 why=\"no route\" to=a:1\n");
}

TEST_F(LogTest, KeepsALineALineWhateverAPeerSends) {
    const std::string evil = "x\n{\"level\":\"error\"}\r\x1b[31m";
    for (const LogFormat format : {LogFormat::json, LogFormat::text}) {
        make({Level::info, format}).info(evil, {{"endpoint", evil}});
        EXPECT_EQ(last().find('\n'), last().size() - 1);
        EXPECT_EQ(last().find('\x1b'), std::string::npos);
    }
}

TEST_F(LogTest, CutsLongValues) {
    make().info("m", {{"v", std::string(5000, 'x')}});
    EXPECT_LT(last().size(), Logger::kMaxValueBytes + 200);
}

TEST_F(LogTest, WritesNullForNumbersThatJsonDoesNotKnow) {
    make().info("m", {{"v", std::numeric_limits<double>::infinity()}});
    EXPECT_NE(last().find("\"v\":null"), std::string::npos);
}

TEST_F(LogTest, DropsLinesBelowTheLevel) {
    Logger log = make({Level::warn, LogFormat::json});
    log.info("no");
    EXPECT_TRUE(sink->lines.empty());
    log.set_level(Level::debug);
    log.debug("yes");
    EXPECT_EQ(sink->lines.size(), 1U);
    log.set_level(Level::off);
    log.error("no");
    EXPECT_EQ(sink->lines.size(), 1U);
}

TEST_F(LogTest, NamesAnotherServiceOverTheSameSink) {
    const Logger api = make().named("api");
    api.info("hello");
    EXPECT_NE(last().find("\"service\":\"api\""), std::string::npos);
}

TEST(LogLevel, ParsesItsOwnNames) {
    for (const Level level : {Level::debug, Level::info, Level::warn, Level::error, Level::off}) {
        EXPECT_EQ(parse_level(to_string(level)), level);
    }
    EXPECT_EQ(parse_level("loud"), std::nullopt);
}

template <class T>
concept Loggable = std::convertible_to<const T&, std::string_view> || std::is_arithmetic_v<T>;
static_assert(Loggable<std::string> && Loggable<int> && !Loggable<Secret>);

TEST(StderrSink, TakesLinesFromSeveralThreads) {
    testing::internal::CaptureStderr();
    {
        const Logger log("many");
        std::vector<std::jthread> threads;
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([&log] {
                for (int n = 0; n < 50; ++n) log.info("line", {{"n", n}});
            });
        }
    }
    const std::string text = testing::internal::GetCapturedStderr();
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 200);
    EXPECT_EQ(text.find("}{"), std::string::npos);
}

}  // namespace
}  // namespace lanyard::telemetry
