#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "device/temperature_sensor.hpp"
#include "fake_server.hpp"

namespace lanyard::device {
namespace {

using coap::Code;
using coap::Options;
using coap::Token;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::SizeIs;

FleetProfile each_second() {
    FleetProfile profile;
    profile.sample_interval = milliseconds(1'000);
    profile.lifetime_s = 86'400;
    return profile;
}

Seen observe(FakeServer& server, std::string_view path, std::uint64_t token = 7, std::uint32_t value = 0) {
    Options options;
    options.observe(value).path(path);
    return server.request(0, Code::get, options, {}, Token::from_u64(token));
}

void write_attributes(FakeServer& server, std::string_view path, std::initializer_list<std::string_view> query) {
    Options options;
    options.path(path);
    for (const std::string_view item : query) options.query(item);
    ASSERT_EQ(server.request(0, Code::put, options).code, Code::changed);
}

double value_of(const Seen& seen) {
    return std::stod(lanyard::to_string(seen.payload));
}

TEST(FleetNotify, NotifiesEveryChangeWithTheTokenAndAGrowingSequence) {
    FakeServer server(each_second());
    server.start_all();
    const Seen first = observe(server, "/3303/0/5700", 0x1122334455667788);
    ASSERT_TRUE(first.observe.has_value());
    server.run(seconds(100));
    const std::vector<Seen> seen = server.notifications();
    EXPECT_GE(seen.size(), 80U) << "a sample that equals the one before is not notified";
    std::uint32_t sequence = *first.observe;
    for (const Seen& notification : seen) {
        EXPECT_EQ(notification.token, Token::from_u64(0x1122334455667788));
        EXPECT_EQ(notification.type, coap::Type::confirmable);
        EXPECT_EQ(notification.format, first.format);
        EXPECT_GT(*notification.observe, sequence);
        sequence = *notification.observe;
    }
}

TEST(FleetNotify, KeepsPminBetweenNotifications) {
    FakeServer server(each_second());
    server.start_all();
    write_attributes(server, "/3303/0/5700", {"pmin=10"});
    observe(server, "/3303/0/5700");
    server.run(seconds(200));
    const std::vector<Seen> seen = server.notifications();
    ASSERT_GE(seen.size(), 15U);
    for (std::size_t i = 1; i < seen.size(); ++i) EXPECT_GE(seen[i].at - seen[i - 1].at, seconds(10));
}

TEST(FleetNotify, NotifiesAtPmaxWithoutAnyCondition) {
    FakeServer server(each_second());
    server.start_all();
    write_attributes(server, "/3303", {"pmax=20"});
    write_attributes(server, "/3303/0/5700", {"gt=80"});
    observe(server, "/3303/0/5700");
    server.run(seconds(201));
    const std::vector<Seen> seen = server.notifications();
    ASSERT_THAT(seen, SizeIs(10));
    for (std::size_t i = 1; i < seen.size(); ++i) EXPECT_EQ(seen[i].at - seen[i - 1].at, seconds(20));
}

TEST(FleetNotify, NotifiesWhenAThresholdIsCrossedAndOnlyThen) {
    FakeServer server(each_second());
    server.start_all();
    const double start = server.fleet.temperature(0);
    const double threshold = start + 0.3;
    write_attributes(server, "/3303/0/5700", {"gt=" + std::to_string(threshold)});
    observe(server, "/3303/0/5700");
    double before = start;
    std::size_t crossings = 0;
    for (int i = 0; i < 600; ++i) {
        server.run(seconds(1));
        const double after = server.fleet.temperature(0);
        if ((before > threshold) != (after > threshold)) ++crossings;
        before = after;
    }
    EXPECT_GT(crossings, 0U);
    EXPECT_NEAR(static_cast<double>(server.notifications().size()), static_cast<double>(crossings), 1);
}

TEST(FleetNotify, NotifiesStepsOfAtLeastSt) {
    FakeServer server(each_second());
    server.start_all();
    write_attributes(server, "/3303/0/5700", {"st=0.5"});
    double before = value_of(observe(server, "/3303/0/5700"));
    server.run(seconds(2'000));
    const std::vector<Seen> seen = server.notifications();
    ASSERT_GE(seen.size(), 3U);
    EXPECT_LT(seen.size(), 500U);
    for (const Seen& notification : seen) {
        EXPECT_GE(std::abs(value_of(notification) - before), 0.5 - 1e-9);
        before = value_of(notification);
    }
}

TEST(FleetNotify, MixesConfirmableAndNonConfirmableByShare) {
    FleetProfile profile = each_second();
    profile.non_share = 0.9;
    FakeServer server(profile);
    server.start_all();
    observe(server, "/3303/0/5700");
    server.run(seconds(1'000));
    const FleetCounters& counters = server.fleet.counters();
    const auto all = static_cast<double>(counters.notifications_con + counters.notifications_non);
    EXPECT_NEAR(static_cast<double>(counters.notifications_con), all / 10, 2);
    write_attributes(server, "/3303/0/5700", {"con=1"});
    const std::uint64_t non = counters.notifications_non;
    server.run(seconds(50));
    EXPECT_EQ(counters.notifications_non, non);
}

TEST(FleetNotify, RetransmitsTheSameBytesUntilAcknowledged) {
    FakeServer server(each_second());
    server.start_all();
    observe(server, "/3303/0");
    server.acknowledge_notifications = false;
    server.run(seconds(8));
    const std::vector<Seen> seen = server.notifications();
    ASSERT_GE(seen.size(), 2U);
    EXPECT_EQ(seen[0].mid, seen[1].mid);
    EXPECT_EQ(seen[0].payload, seen[1].payload);
    EXPECT_EQ(seen[0].observe, seen[1].observe);
    EXPECT_GE(seen[1].at - seen[0].at, seconds(2));
    EXPECT_LE(seen[1].at - seen[0].at, milliseconds(3'001));
}

TEST(FleetNotify, ObservesResourceInstanceAndObjectAtOnce) {
    FakeServer server(each_second());
    server.start_all();
    EXPECT_TRUE(observe(server, "/3303/0/5700", 1).observe);
    EXPECT_TRUE(observe(server, "/3303/0", 2).observe);
    EXPECT_TRUE(observe(server, "/3303", 3).observe);
    EXPECT_FALSE(observe(server, "/3/0/9", 4).observe) << "no slot left: answered as a Read";
    server.run(seconds(20));
    std::array<int, 4> by_token{};
    for (const Seen& seen : server.notifications()) ++by_token[seen.token.as_u64()];
    EXPECT_GT(by_token[1], 10);
    EXPECT_GT(by_token[2], 10);
    EXPECT_GT(by_token[3], 10);
}

TEST(FleetNotify, EndsByResetByCancelAndByANewRegistration) {
    FakeServer server(each_second());
    server.start_all();
    observe(server, "/3303/0/5700");
    observe(server, "/3303/0/5700", 7, 1);
    EXPECT_FALSE(server.fleet.is_observed(0)) << "cancelled";
    observe(server, "/3303/0/5700");
    server.acknowledge_notifications = false;
    server.run(seconds(3));
    ASSERT_FALSE(server.notifications().empty());
    server.fleet.receive(0, coap::encode_empty(coap::Type::reset, server.notifications()[0].mid), server.now);
    EXPECT_FALSE(server.fleet.is_observed(0)) << "reset";
    observe(server, "/3303/0/5700");
    server.acknowledge_notifications = true;
    server.run(seconds(5));
    ASSERT_TRUE(server.fleet.send_register(0, server.now));
    server.run(milliseconds(10));
    EXPECT_FALSE(server.fleet.is_observed(0)) << "registered anew";
}

TEST(FleetNotify, RegistersAnewWhenNobodyAcknowledges) {
    FakeServer server(each_second());
    server.start_all();
    observe(server, "/3303/0/5700");
    server.acknowledge_notifications = false;
    server.run(seconds(150));
    EXPECT_GE(server.requests(Code::post, "/rd").size(), 2U);
    EXPECT_TRUE(server.fleet.is_registered(0));
}

TEST(FleetNotify, ReportsValueSequenceAndPathOfWhatWasAcknowledged) {
    FakeServer server(each_second());
    server.start_all();
    observe(server, "/3303/0/5700");
    ASSERT_TRUE(server.fleet.send_notification(0, true, server.now));
    server.reports.clear();
    server.run(milliseconds(1));
    ASSERT_THAT(server.reports, SizeIs(1));
    const ExchangeReport& report = server.reports[0];
    EXPECT_EQ(report.kind, ExchangeKind::notify);
    EXPECT_TRUE(report.succeeded());
    EXPECT_EQ(report.path, (lwm2m::Path{3303, 0, 5700}));
    EXPECT_EQ(report.value, value_of(server.notifications()[0]));
    EXPECT_EQ(report.sequence, server.notifications()[0].observe);
}

TEST(FleetNotify, CountsWhenToldSoThatNoValueComesTwice) {
    FleetProfile profile = each_second();
    profile.counting = true;
    FakeServer server(profile);
    server.start_all();
    observe(server, "/3303/0/5700");
    server.run(seconds(20));
    const std::vector<Seen> seen = server.notifications();
    ASSERT_GE(seen.size(), 19U) << "each measurement differs from the one before";
    for (std::size_t i = 0; i < seen.size(); ++i)
        EXPECT_EQ(value_of(seen[i]), degrees(static_cast<CentiCelsius>(i + 1)));
}

TEST(FleetNotify, ADeviceThatIsBusyDoesNotCountOn) {
    FleetProfile profile = each_second();
    profile.sample_interval = milliseconds(0);
    profile.counting = true;
    FakeServer server(profile);
    server.start_all();
    ASSERT_TRUE(server.fleet.send_data(0, server.now));
    EXPECT_FALSE(server.fleet.send_data(0, server.now));
    EXPECT_EQ(server.fleet.temperature(0), 0.01);
}

TEST(FleetNotify, ReportsTheRegistrationThatARegisterMade) {
    FakeServer server(each_second());
    server.start_all();
    ASSERT_FALSE(server.reports.empty());
    EXPECT_EQ(server.reports[0].kind, ExchangeKind::register_);
    EXPECT_EQ(server.reports[0].location, "rd/abc0");
}

TEST(FleetLossy, EveryDeviceGetsThroughWithThirtyPercentLoss) {
    constexpr unsigned kSeed = 20'241;
    std::mt19937 random(kSeed);
    FakeServer server(each_second(), 200);
    server.lose = [&] { return random() % 100 < 30; };
    server.start_all();
    server.run(seconds(300));
    EXPECT_EQ(server.fleet.counters().registered_now, 200U) << "seed " << kSeed;
    EXPECT_GT(server.fleet.counters().retransmissions, 50U);
}

TEST(FleetLossy, GarbageIsCountedAndDoesNoHarm) {
    std::mt19937 random(7);
    FakeServer server(each_second());
    server.start_all();
    for (int i = 0; i < 20'000; ++i) {
        Bytes datagram(random() % 40);
        for (std::uint8_t& byte : datagram) byte = static_cast<std::uint8_t>(random());
        if (!datagram.empty() && i % 2 == 0) datagram[0] = static_cast<std::uint8_t>((datagram[0] & 0x3f) | 0x40);
        server.fleet.receive(0, datagram, server.now);
        server.run(milliseconds(1));
    }
    EXPECT_GT(server.fleet.counters().malformed, 0U);
    server.run(seconds(200));
    EXPECT_TRUE(server.fleet.is_registered(0));
}

}  // namespace
}  // namespace lanyard::device
