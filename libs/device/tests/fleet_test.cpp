#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/hex.hpp"
#include "fake_server.hpp"
#include "lwm2m/codec.hpp"

namespace lanyard::device {
namespace {

using coap::Code;
using coap::Options;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

FleetProfile quiet() {
    FleetProfile profile;
    profile.sample_interval = milliseconds(0);
    return profile;
}
FleetProfile each_second() {
    FleetProfile profile;
    profile.sample_interval = milliseconds(1'000);
    profile.lifetime_s = 86'400;
    return profile;
}

Options get(std::string_view path, std::optional<std::uint16_t> accept = std::nullopt) {
    Options options;
    options.path(path);
    if (accept) options.accept(*accept);
    return options;
}
Options attributes(std::string_view path, std::initializer_list<std::string_view> query) {
    Options options;
    options.path(path);
    for (const std::string_view item : query) options.query(item);
    return options;
}
std::string text_of(const Seen& seen) {
    return lanyard::to_string(seen.payload);
}
double number_of(const Seen& seen) {
    return std::stod(text_of(seen));
}

TEST(FleetRegistration, SendsEndpointLifetimeVersionAndObjects) {
    FakeServer server(quiet());
    server.start_all();
    ASSERT_THAT(server.all, SizeIs(1));
    EXPECT_EQ(server.all[0].path, "/rd");
    EXPECT_THAT(server.all[0].query, ElementsAre("ep=sensor-0000001", "lt=300", "lwm2m=1.1", "b=U"));
    EXPECT_THAT(text_of(server.all[0]), HasSubstr("</3303/0>"));
    EXPECT_TRUE(server.fleet.is_registered(0));
}

TEST(FleetRegistration, SpellsQueueModeForTheVersion) {
    FleetProfile profile = quiet();
    profile.queue_mode_share = 1;
    FakeServer server(profile);
    server.start_all();
    EXPECT_THAT(server.all[0].query, ElementsAre("ep=sensor-0000001", "lt=300", "lwm2m=1.1", "b=U", "Q"));
    profile.version = {1, 0};
    FakeServer old_server(profile);
    old_server.start_all();
    EXPECT_THAT(old_server.all[0].query, ElementsAre("ep=sensor-0000001", "lt=300", "lwm2m=1.0", "b=UQ"));
}

TEST(FleetRegistration, UpdatesBeforeTheLifetimeIsOver) {
    FakeServer server(quiet());
    server.start_all();
    server.run(seconds(3'000));
    const std::vector<Seen> updates = server.requests(Code::post, "/rd/abc0");
    ASSERT_GE(updates.size(), 10U);
    SteadyTime before = server.all[0].at;
    for (const Seen& update : updates) {
        EXPECT_LE(update.at - before, seconds(271));
        EXPECT_GE(update.at - before, seconds(209));
        before = update.at;
    }
    EXPECT_THAT(server.requests(Code::post, "/rd"), SizeIs(updates.size() + 1)) << "one Register";
}

TEST(FleetRegistration, RegistersAnewWhenAnUpdateGetsNotFound) {
    FakeServer server(quiet());
    server.start_all();
    server.update_code = Code::not_found;
    server.fleet.send_update(0, server.now);
    server.run(seconds(2));
    EXPECT_TRUE(server.fleet.is_registered(0));
    EXPECT_EQ(server.all.back().path, "/rd");
}

TEST(FleetRegistration, UpdatesWhenASendIsAnsweredByAServerThatDoesNotKnowTheAddress) {
    FakeServer server(quiet());
    server.start_all();
    server.update_code = Code::not_found;
    ASSERT_TRUE(server.fleet.send_data(0, server.now));
    server.run(milliseconds(100));
    EXPECT_THAT(server.requests(Code::post, "/dp"), SizeIs(1));
    EXPECT_THAT(server.requests(Code::post, "/rd/abc0"), SizeIs(1));
}

TEST(FleetRegistration, WaitsMaxAgeAndUpToHalfAsLongAgainWhenOverloaded) {
    FakeServer server(quiet(), 50);
    server.register_code = Code::service_unavailable;
    server.max_age = 20;
    server.start_all();
    ASSERT_THAT(server.all, SizeIs(50));
    server.run(seconds(19));
    EXPECT_THAT(server.all, SizeIs(50));
    server.register_code = Code::created;
    server.run(seconds(13));
    ASSERT_THAT(server.all, SizeIs(100));
    EXPECT_EQ(server.fleet.counters().registered_now, 50U);
    EXPECT_GT(server.all[99].at - server.all[50].at, seconds(5)) << "spread";
}

TEST(FleetRegistration, RetransmitsWithTheSameMessageIdAndDoublingTimeouts) {
    FakeServer server(quiet());
    server.lose = [] { return true; };
    std::vector<SteadyTime> sent;
    server.start_all();
    const std::uint64_t first = server.fleet.counters().datagrams_sent;
    server.run(seconds(1));
    EXPECT_EQ(server.fleet.counters().datagrams_sent, first);
    server.run(seconds(47));
    EXPECT_EQ(server.fleet.counters().retransmissions, 4U);
    server.run(seconds(60));
    ASSERT_FALSE(server.reports.empty());
    EXPECT_EQ(server.reports[0].outcome, ExchangeOutcome::timed_out);
    EXPECT_EQ(server.reports[0].transmissions, 5);
    server.lose = [] { return false; };
    server.run(seconds(120));
    EXPECT_TRUE(server.fleet.is_registered(0));
}

TEST(FleetRegistration, EndsByDeregister) {
    FakeServer server(quiet());
    server.start_all();
    ASSERT_TRUE(server.fleet.send_deregister(0, server.now));
    server.run(seconds(1));
    EXPECT_THAT(server.requests(Code::delete_, "/rd/abc0"), SizeIs(1));
    EXPECT_FALSE(server.fleet.is_registered(0));
    EXPECT_EQ(server.fleet.counters().registered_now, 0U);
}

TEST(FleetRegistration, TakesASeparateResponse) {
    FakeServer server(quiet());
    server.answers = false;
    server.start_all();
    ASSERT_THAT(server.all, SizeIs(1));
    const Seen request = server.all[0];
    server.fleet.receive(0, coap::encode_empty(coap::Type::acknowledgement, request.mid), server.now);
    server.run(seconds(20));
    EXPECT_EQ(server.fleet.counters().retransmissions, 0U) << "an empty ACK ends retransmission";
    Options location;
    location.location("/rd/late");
    server.send(0, coap::Type::confirmable, Code::created, 77, request.token, location);
    EXPECT_TRUE(server.fleet.is_registered(0));
    server.run(milliseconds(1));
    EXPECT_EQ(server.all.back().type, coap::Type::acknowledgement);
    EXPECT_EQ(server.all.back().mid, 77);
}

TEST(FleetAnswers, ReadsInTextAndStructuredFormats) {
    FakeServer server(quiet());
    server.start_all();
    const Seen text = server.request(0, Code::get, get("/3303/0/5700"));
    EXPECT_EQ(text.code, Code::content);
    EXPECT_EQ(text.type, coap::Type::acknowledgement);
    EXPECT_EQ(text.format, 0);
    EXPECT_DOUBLE_EQ(number_of(text), server.fleet.temperature(0));
    for (const std::uint16_t format : std::to_array<std::uint16_t>({11542, 110, 112})) {
        const Seen seen = server.request(0, Code::get, get("/3303", format));
        ASSERT_EQ(seen.code, Code::content) << format;
        EXPECT_EQ(seen.format, format);
        lwm2m::DecodeContext context;
        context.base = lwm2m::Path{3303};
        const auto records = lwm2m::decode(*lwm2m::content_format_from(format), seen.payload, context);
        ASSERT_TRUE(records.has_value()) << format;
        ASSERT_THAT(*records, SizeIs(4));
        EXPECT_EQ((*records)[2].path, (lwm2m::Path{3303, 0, 5700}));
        EXPECT_EQ(std::get<double>((*records)[2].value), server.fleet.temperature(0));
    }
}

TEST(FleetAnswers, ReadsTheUnitAsGoldenBytes) {
    FakeServer server(quiet());
    server.start_all();
    // TLV: resource (11), 16-bit id, length 3 in the type byte: 0xe3, 5701, "Cel" (conformance E-3).
    EXPECT_EQ(to_hex(server.request(0, Code::get, get("/3303/0/5701", 11542)).payload), "e3164543656c");
    EXPECT_EQ(text_of(server.request(0, Code::get, get("/3303/0/5701"))), "Cel");
    EXPECT_EQ(text_of(server.request(0, Code::get, get("/3303/0/5701", 110))), R"([{"bn":"/3303/0/5701","vs":"Cel"}])");
}

TEST(FleetAnswers, RefusesWhatIsNotThereOrNotAllowed) {
    FakeServer server(quiet());
    server.start_all();
    EXPECT_EQ(server.request(0, Code::get, get("/3303/1")).code, Code::not_found);
    EXPECT_EQ(server.request(0, Code::get, get("/9/0/1")).code, Code::not_found);
    EXPECT_EQ(server.request(0, Code::get, get("/3303/0/5605")).code, Code::method_not_allowed);
    EXPECT_EQ(server.request(0, Code::put, get("/3303/0/5700"), as_bytes("1")).code, Code::method_not_allowed);
    EXPECT_EQ(server.request(0, Code::post, get("/3303/0/5700")).code, Code::method_not_allowed);
    EXPECT_EQ(server.request(0, Code::get, get("/3303/0/5700", 60'000)).code, Code::not_acceptable);
    EXPECT_EQ(server.request(0, Code::delete_, get("/3303/0")).code, Code::method_not_allowed);
    Options critical;
    critical.path("/3/0").add(coap::OptionNumber{2049}, std::string_view("x"));
    EXPECT_EQ(server.request(0, Code::get, critical).code, Code::bad_option);
}

TEST(FleetAnswers, ExecuteResetsMinAndMaxAtBothNumbers) {
    for (const std::string_view reset : {"/3303/0/5605", "/3303/0/5603"}) {
        FakeServer server(each_second());
        server.start_all();
        server.run(seconds(600));
        EXPECT_LT(number_of(server.request(0, Code::get, get("/3303/0/5601"))),
                  number_of(server.request(0, Code::get, get("/3303/0/5602"))));
        EXPECT_EQ(server.request(0, Code::post, get(reset)).code, Code::changed);
        const double value = number_of(server.request(0, Code::get, get("/3303/0/5700")));
        EXPECT_EQ(number_of(server.request(0, Code::get, get("/3303/0/5601"))), value);
        EXPECT_EQ(number_of(server.request(0, Code::get, get("/3303/0/5602"))), value);
    }
}

TEST(FleetAnswers, WritingTheLifetimeSendsAnUpdateWithIt) {
    FakeServer server(quiet());
    server.start_all();
    Options options;
    options.path("/1/0/1").content_format(0);
    EXPECT_EQ(server.request(0, Code::put, options, as_bytes("60")).code, Code::changed);
    server.run(seconds(1));
    const std::vector<Seen> updates = server.requests(Code::post, "/rd/abc0");
    ASSERT_THAT(updates, SizeIs(1));
    EXPECT_THAT(updates[0].query, ElementsAre("lt=60"));
    server.run(seconds(120));
    EXPECT_GE(server.requests(Code::post, "/rd/abc0").size(), 3U);
    EXPECT_TRUE(server.requests(Code::post, "/rd/abc0").back().query.empty());
}

TEST(FleetAnswers, UpdateTriggerAndRebootAreDone) {
    FakeServer server(quiet());
    server.start_all();
    EXPECT_EQ(server.request(0, Code::post, get("/1/0/8")).code, Code::changed);
    server.run(seconds(1));
    EXPECT_THAT(server.requests(Code::post, "/rd/abc0"), SizeIs(1));
    EXPECT_EQ(server.request(0, Code::post, get("/3/0/4")).code, Code::changed);
    server.run(seconds(3));
    EXPECT_THAT(server.requests(Code::post, "/rd"), SizeIs(3)) << "two of them are registrations";
}

TEST(FleetAnswers, DiscoverShowsResourcesAndAttributes) {
    FakeServer server(quiet());
    server.start_all();
    EXPECT_EQ(server.request(0, Code::put, attributes("/3303/0", {"pmin=5", "pmax=60"})).code, Code::changed);
    EXPECT_EQ(server.request(0, Code::put, attributes("/3303/0/5700", {"gt=30.5"})).code, Code::changed);
    EXPECT_EQ(text_of(server.request(0, Code::get, get("/3303", 40))),
              "</3303>,</3303/0>;pmin=5;pmax=60,</3303/0/5601>,</3303/0/5602>,</3303/0/5605>,"
              "</3303/0/5700>;gt=30.5,</3303/0/5701>");
    EXPECT_EQ(text_of(server.request(0, Code::get, get("/3303/0/5700", 40))), "</3303/0/5700>;pmin=5;pmax=60;gt=30.5");
    EXPECT_EQ(server.request(0, Code::put, attributes("/3303/0", {"pmax"})).code, Code::changed);
    EXPECT_THAT(text_of(server.request(0, Code::get, get("/3303", 40))), HasSubstr("</3303/0>;pmin=5,"));
}

TEST(FleetAnswers, RefusesAttributesThatBreakTheRules) {
    FakeServer server(quiet());
    server.start_all();
    EXPECT_EQ(server.request(0, Code::put, attributes("/3303/0/5700", {"lt=50", "gt=20"})).code, Code::bad_request);
    EXPECT_EQ(server.request(0, Code::put, attributes("/3303/0/5700", {"pmin=abc"})).code, Code::bad_request);
    EXPECT_EQ(server.request(0, Code::put, attributes("/3304/0", {"pmin=1"})).code, Code::not_found);
}

TEST(FleetAnswers, IsDeafAfterTheAwakeTimeInQueueMode) {
    FleetProfile profile = quiet();
    profile.queue_mode_share = 1;
    FakeServer server(profile);
    server.start_all();
    EXPECT_EQ(server.request(0, Code::get, get("/3/0/0")).code, Code::content);
    server.run(seconds(94));
    EXPECT_EQ(server.request(0, Code::get, get("/3/0/0")).code, Code::empty);
    EXPECT_EQ(server.fleet.counters().requests_while_asleep, 1U);
}

TEST(FleetAnswers, AnswersAPingWithReset) {
    FakeServer server(quiet());
    server.start_all();
    server.fleet.receive(0, coap::encode_empty(coap::Type::confirmable, 9), server.now);
    server.run(milliseconds(1));
    EXPECT_EQ(server.all.back().type, coap::Type::reset);
    EXPECT_EQ(server.all.back().mid, 9);
}

}  // namespace
}  // namespace lanyard::device
