#include <cstdio>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "runtime/socket_address.hpp"
#include "simulator/ack_log.hpp"
#include "simulator/histogram.hpp"
#include "simulator/options.hpp"
#include "simulator/phase_script.hpp"

namespace lanyard::simulator {
namespace {

TEST(Histogram, QuantilesAreWithinThreePercent) {
    Histogram histogram;
    for (std::uint32_t value = 1; value <= 100'000; ++value) histogram.record(value);
    EXPECT_NEAR(histogram.quantile(0.5), 50'000, 1'600);
    EXPECT_NEAR(histogram.quantile(0.99), 99'000, 3'100);
    EXPECT_EQ(histogram.quantile(1), 100'000U);
    EXPECT_EQ(histogram.max(), 100'000U);
    EXPECT_EQ(histogram.count(), 100'000U);
}

TEST(Histogram, TakesTheWholeRange) {
    Histogram histogram;
    EXPECT_EQ(histogram.quantile(0.5), 0U);
    histogram.record(0);
    histogram.record(31);
    histogram.record(32);
    histogram.record(0xffffffff);
    EXPECT_EQ(histogram.quantile(0.25), 0U);
    EXPECT_EQ(histogram.quantile(0.5), 31U);
    EXPECT_EQ(histogram.quantile(0.75), 32U);
    EXPECT_EQ(histogram.quantile(1), 0xffffffffU);
}

TEST(Target, TakesIpLiteralsWithAndWithoutPort) {
    EXPECT_EQ(runtime::to_string(*parse_target("coap://127.0.0.1:5700")), "127.0.0.1:5700");
    EXPECT_EQ(runtime::to_string(*parse_target("coap://127.0.0.1")), "127.0.0.1:5683");
    EXPECT_EQ(runtime::to_string(*parse_target("[::1]:7")), "[::1]:7");
    EXPECT_EQ(runtime::to_string(*parse_target("coap://[::1]/")), "[::1]:5683");
    EXPECT_FALSE(parse_target("coap://localhost").has_value());
    EXPECT_FALSE(parse_target("coaps://127.0.0.1").has_value());
}

TEST(Options, AreCheckedWithTheirNames) {
    SimulateOptions options;
    options.target = *parse_target("127.0.0.1:5683");
    EXPECT_TRUE(validate(options).has_value());
    options.count = 2'000'000;
    EXPECT_THAT(validate(options).error().message, ::testing::HasSubstr("count"));
    options.count = 5'000;
    options.target = *parse_target("[::1]:5683");
    EXPECT_FALSE(validate(options).has_value()) << "a socket for each device";
    options.count = 10;
    options.profile.update_from_percent = 95;
    EXPECT_THAT(validate(options).error().message, ::testing::HasSubstr("update-after"));
    options.profile.update_to_percent = 95;
    EXPECT_TRUE(validate(options).has_value());
    options.profile.non_share = 1.5;
    EXPECT_THAT(validate(options).error().message, ::testing::HasSubstr("non-share"));
}

TEST(PhaseScript, ReadsOnePhaseALine) {
    const Result<LoadPhase> phase = parse_phase("updates 2.5 max 512");
    ASSERT_TRUE(phase.has_value());
    EXPECT_EQ(phase->kind, LoadKind::updates);
    EXPECT_EQ(phase->duration, std::chrono::milliseconds(2'500));
    EXPECT_FALSE(phase->rate_per_s);
    EXPECT_EQ(phase->window, 512U);
    EXPECT_EQ(parse_phase("sends 1 20000 64")->rate_per_s, 20'000);
    EXPECT_TRUE(parse_phase("echo 1 max 64 127.0.0.1:9")->target);
    for (const char* bad : {"", "updates", "updates 0 max 5", "reads 1 max 5", "updates 1 fast 5", "updates 1 max 0",
                            "echo 1 max 64", "updates 1 -5 5"}) {
        EXPECT_FALSE(parse_phase(bad).has_value()) << bad;
    }
}

TEST(PhaseScript, DoesNotWaitAndEndsWithThePipe) {
    std::array<int, 2> ends{};
    ASSERT_EQ(pipe(ends.data()), 0);
    PhaseScript script(ends[0]);
    EXPECT_FALSE(script.next().phase);
    ASSERT_EQ(write(ends[1], "updates 1 max 5\nsends", 21), 21);
    EXPECT_TRUE(script.next().phase);
    EXPECT_FALSE(script.next().phase) << "half a line";
    ASSERT_EQ(write(ends[1], " 1 max 5\n", 9), 9);
    EXPECT_TRUE(script.next().phase);
    close(ends[1]);
    EXPECT_TRUE(script.next().finished);
    close(ends[0]);
}

TEST(AckLog, WritesOneJsonObjectALine) {
    const std::string path = std::filesystem::temp_directory_path() / ("acks-" + std::to_string(getpid()));
    Result<AckLog> log = AckLog::open(path);
    ASSERT_TRUE(log.has_value());
    device::ExchangeReport report;
    report.kind = device::ExchangeKind::notify;
    report.path = lwm2m::Path{3303, 0, 5700};
    report.sequence = 7;
    report.value = 21.37;
    report.latency_us = 812;
    log->write(1'700'000'000'123, "a\"b", report);
    report.kind = device::ExchangeKind::update;
    report.path = {};
    report.location = "rd/abc";
    report.code = coap::Code::changed;
    log->write(1'700'000'000'124, "c", report);
    ASSERT_TRUE(log->close().has_value());
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    EXPECT_EQ(line, R"({"ts":1700000000123,"ep":"a\"b","kind":"notify","path":"/3303/0/5700","seq":7,"value":21.37,)"
                    R"("code":"","latency_us":812,"transmissions":1})");
    std::getline(file, line);
    EXPECT_EQ(line,
              R"({"ts":1700000000124,"ep":"c","kind":"update","location":"rd/abc","code":"2.04","latency_us":812,)"
              R"("transmissions":1})");
    std::filesystem::remove(path);
    EXPECT_FALSE(AckLog::open("/nonexistent/acks").has_value());
}

}  // namespace
}  // namespace lanyard::simulator
