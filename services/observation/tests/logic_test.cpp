#include <gtest/gtest.h>

#include "desired.hpp"
#include "freshness.hpp"
#include "lanyard/events/v1/lifecycle.pb.h"
#include "lanyard/events/v1/telemetry.pb.h"
#include "latest_buffer.hpp"
#include "latest_codec.hpp"
#include "lifecycle_event.hpp"
#include "partitions.hpp"
#include "plan.hpp"
#include "resume_token.hpp"
#include "store_records.hpp"
#include "telemetry_value.hpp"
#include "template_rules.hpp"
#include "watermark.hpp"

namespace lanyard::observation {
namespace {

TEST(Watermark, StopsAtTheOldestRecordThatIsNotDone) {
    Watermark w;
    const auto a = w.take(10);
    const auto b = w.take(11);
    const auto c = w.take(15);  // offsets may have gaps
    w.add(a);
    for (const auto slot : {a, b, c}) w.close(slot);
    EXPECT_EQ(w.next_offset(), std::nullopt);
    EXPECT_EQ(w.oldest(), 10);
    w.done(a);
    EXPECT_EQ(w.next_offset(), 16);
    EXPECT_EQ(w.open(), 0U);
}

TEST(Watermark, ARecordOfManyValuesIsDoneWithTheLast) {
    Watermark w;
    const auto a = w.take(0);
    for (int i = 0; i < 3; ++i) w.add(a);
    w.close(a);
    w.done(a);
    w.done(a);
    EXPECT_EQ(w.next_offset(), std::nullopt);
    w.done(a);
    EXPECT_EQ(w.next_offset(), 1);
}

const std::vector<kafka::TopicOffset> kTwo{{"t", 0, 0}, {"t", 1, 0}};

TEST(Partitions, CommitsEachMoveOnce) {
    Partitions p("t");
    p.assign(kTwo);
    const auto ticket = p.take(1, 5);
    EXPECT_TRUE(p.to_commit().empty());
    p.done(ticket);
    EXPECT_EQ(p.to_commit(), (std::vector<kafka::TopicOffset>{{"t", 1, 6}}));
    EXPECT_TRUE(p.to_commit().empty());
    p.commit_failed();
    EXPECT_EQ(p.to_commit().size(), 1U);
}

TEST(Partitions, TicketsOfAnEarlierAssignmentDoNothing) {
    Partitions p("t");
    p.assign(kTwo);
    const auto old = p.take(0, 5);
    p.remove(kTwo);
    p.done(old);
    p.assign(kTwo);
    const auto current = p.take(0, 5);
    p.done(old);
    EXPECT_EQ(p.open(), 1U);
    p.done(current);
    EXPECT_EQ(p.to_commit().size(), 1U);
    p.done(Partitions::kForeign | 3);
}

TEST(Partitions, RewindsToTheOldestUndoneRecord) {
    Partitions p("t");
    p.assign(kTwo);
    const auto a = p.take(0, 5);
    const auto b = p.take(0, 6);
    p.done(a);
    EXPECT_EQ(p.rewind(), (std::vector<kafka::TopicOffset>{{"t", 0, 6}}));
    p.done(b);  // void
    EXPECT_EQ(p.open(), 0U);
    EXPECT_TRUE(p.rewind().empty());
}

TEST(Freshness, FollowsRfc7641) {
    constexpr std::uint32_t kMax = (1U << 24) - 1;
    Freshness f(10);
    const DeviceNumber d{65};
    EXPECT_TRUE(f.observe(d, 1, 1, 5, 1000));
    EXPECT_FALSE(f.observe(d, 1, 1, 4, 2000)) << "overtaken";
    EXPECT_TRUE(f.observe(d, 1, 1, 5, 2000)) << "the same notification read again";
    EXPECT_TRUE(f.observe(d, 2, 1, 4, 2000)) << "another observation";
    EXPECT_TRUE(f.observe(d, 1, 1, 4, 1000 + 128001)) << "more than 128 s later";
    EXPECT_TRUE(f.observe(d, 3, 1, kMax, 0));
    EXPECT_TRUE(f.observe(d, 3, 1, 0, 1)) << "the number wraps";
    EXPECT_FALSE(f.observe(d, 3, 1, kMax, 2));
    EXPECT_TRUE(f.observe(d, 3, 2, 0, 3)) << "a new registration begins anew";
    EXPECT_FALSE(f.observe(d, 3, 1, 9, 4)) << "of the former registration";
}

TEST(Freshness, ForgetsAllWhenFull) {
    Freshness f(2);
    for (std::uint32_t n = 1; n <= 3; ++n) EXPECT_TRUE(f.observe(DeviceNumber{n}, 1, 1, 9, 0));
    EXPECT_EQ(f.size(), 1U);
    EXPECT_TRUE(f.observe(DeviceNumber{1}, 1, 1, 1, 0));
}

DeviceInfo sensor(std::string links = "</1/0>,</3/0>,</3303/0>,</3303/7>") {
    DeviceInfo d;
    d.number = DeviceNumber{65};
    d.tenant = "default";
    d.endpoint = "urn:imei:1";
    d.registered = true;
    d.generation = 4;
    d.lwm2m_version = "1.1";
    d.object_links = std::move(links);
    d.labels = {{"site", "plant-1"}};
    return d;
}

std::shared_ptr<const CompiledTemplates> templates(std::vector<Template> entries) {
    return compile({1, std::move(entries)});
}

std::vector<std::string> paths_of(const std::vector<Desired>& desired) {
    std::vector<std::string> out;
    for (const Desired& d : desired) out.push_back(d.path);
    return out;
}

using Paths = std::vector<std::string>;

TEST(Desired, ExpandsStarOverAnnouncedInstances) {
    const auto t = templates({{"default", "temp", "", 3303, {"/3303/*/5700", "/3304/*/5700", "/3/0/9"}, {}, {}}});
    const auto out = desired_of(sensor(), {}, *t);
    EXPECT_EQ(paths_of(out), (Paths{"/3303/0/5700", "/3303/7/5700", "/3/0/9"}));
    EXPECT_EQ(out[1].id, "temp.3303.7.5700");
    EXPECT_EQ(out[1].template_id, "temp");
}

TEST(Desired, TemplatesSelectByTenantObjectAndFilter) {
    const auto t = templates(
        {{"other", "a", "", 0, {"/3/0/9"}, {}, {}},
         {"default", "b", "", 3304, {"/3/0/10"}, {}, {}},
         {"default", "c", "labels.site = \"plant-2\"", 0, {"/3/0/11"}, {}, {}},
         {"default", "d", "endpoint = \"urn:imei:*\" AND labels.site = \"plant-1\"", 0, {"/3/0/13"}, {}, {}}});
    EXPECT_EQ(paths_of(desired_of(sensor(), {}, *t)), (Paths{"/3/0/13"}));
}

TEST(Desired, OwnObservationsWinOverTemplates) {
    const auto t = templates({{"default", "b", "", 0, {"/3/0/9"}, {{"pmin", "1"}}, {}},
                              {"default", "a", "", 0, {"/3/0/9", "/3/0/13"}, {{"pmin", "2"}}, {}}});
    const std::vector<OwnObservation> own{{"3.0.9", "/3/0/9", {{"pmin", "9"}}, {}, 0}};
    const auto out = desired_of(sensor(), own, *t);
    ASSERT_EQ(paths_of(out), (Paths{"/3/0/9", "/3/0/13"}));
    EXPECT_EQ(out[0].attributes.at("pmin"), "9");
    EXPECT_EQ(out[1].template_id, "a");
}

TEST(Desired, UnreadableObjectListLeavesWhatNeedsNone) {
    const auto t = templates({{"default", "a", "", 0, {"/3303/*/5700", "/3/0/9"}, {}, {}},
                              {"default", "b", "", 3303, {"/3303/0/5701"}, {}, {}}});
    EXPECT_EQ(paths_of(desired_of(sensor("</3303/0"), {}, *t)), (Paths{"/3/0/9"}));
}

TEST(Desired, AcceptIsWhatTheDeviceAnnounces) {
    EXPECT_EQ(choose_accept({}, sensor()), std::nullopt);
    EXPECT_EQ(choose_accept({}, sensor("</>;rt=\"oma.lwm2m\";ct=\"110 11542\",</3/0>")), 110);
    EXPECT_EQ(choose_accept(0, sensor("</>;rt=\"oma.lwm2m\";ct=\"110\",</3/0>")), 0);
}

Wanted want(SpecId spec, std::string path) {
    return {{"id", "", std::move(path), {}, {}}, spec};
}

TEST(Plan, ARegisterVoidsEverything) {
    const std::vector<Wanted> wanted{want(1, "/a"), want(2, "/b")};
    const std::vector<ObservationState> states{{1, State::active, "", 3}, {2, State::failed, "4.04", 3}};
    const Plan plan = make_plan(wanted, states, 4, {});
    EXPECT_EQ(plan.establish.size(), 2U);
    EXPECT_TRUE(plan.cancel.empty());
}

TEST(Plan, LeavesWhatStandsAndCancelsWhatNobodyWants) {
    const std::vector<Wanted> wanted{want(1, "/a"), want(2, "/b"), want(3, "/c"), want(4, "/d")};
    const std::vector<ObservationState> states{{1, State::active, "", 4},
                                               {2, State::failed, "4.04", 4},
                                               {3, State::pending, "", 4},
                                               {8, State::active, "", 4},
                                               {9, State::active, "", 3}};
    const std::vector<SpecId> retry{2};
    const Plan plan = make_plan(wanted, states, 4, retry);
    ASSERT_EQ(plan.establish.size(), 3U);
    EXPECT_EQ(plan.establish[0].spec, 2);
    EXPECT_EQ(plan.establish[1].spec, 3);
    EXPECT_EQ(plan.establish[2].spec, 4);
    EXPECT_EQ(plan.cancel, (std::vector<SpecId>{8}));
    EXPECT_EQ(plan.erase, (std::vector<SpecId>{8, 9}));
    EXPECT_EQ(make_plan(wanted, states, 4, {}).establish.size(), 2U);
}

TEST(TemplateRules, NameTheFieldThatIsWrong) {
    const auto field = [](Template t) {
        const auto bad = check_template(t);
        return bad ? bad->field : std::string();
    };
    const Template good{"default", "temp", "", 3303, {"/3303/*/5700"}, {{"pmin", "5"}, {"gt", ""}}, 110};
    EXPECT_EQ(field(good), "");
    Template t = good;
    t.id = "Temp";
    EXPECT_EQ(field(t), "id");
    t = good;
    t.filter = "endpoint =";
    EXPECT_EQ(field(t), "filter");
    t = good;
    t.filter = "state = ONLINE";
    EXPECT_EQ(field(t), "filter") << "liveness is not a property of a device";
    t = good;
    t.paths = {"/3/0/9", "/3303/*/*"};
    EXPECT_EQ(field(t), "paths[1]");
    t.paths = {"/*/0/9"};
    EXPECT_EQ(field(t), "paths[0]");
    t.paths = {"/0/0/5"};
    EXPECT_EQ(field(t), "paths[0]") << "keys are not observed";
    t.paths = {"3303"};
    EXPECT_EQ(field(t), "paths[0]");
    t.paths = {};
    EXPECT_EQ(field(t), "paths");
    t = good;
    t.attributes = {{"pmin", "soon"}};
    EXPECT_EQ(field(t), "attributes");
    t = good;
    t.accept = 7;
    EXPECT_EQ(field(t), "accept");
}

TEST(ResumeToken, OpensOnlyForItsParentAndKey) {
    SipKey key{};
    key[3] = 7;
    const StreamPosition position{{0, 0}, {3, 1LL << 40}};
    const std::string token = seal_position(key, "tenants/a", position);
    EXPECT_EQ(*open_position(key, "tenants/a", token), position);
    EXPECT_FALSE(open_position(key, "tenants/b", token));
    EXPECT_FALSE(open_position(SipKey{}, "tenants/a", token));
    EXPECT_FALSE(open_position(key, "tenants/a", token.substr(4)));
    EXPECT_FALSE(open_position(key, "tenants/a", "zz"));
}

TEST(LifecycleEvent, ReadsTheJsonOfTheRegistry) {
    const auto event = parse_lifecycle(
        as_bytes(R"({"tenant":"default","endpoint":"e","event":"registered","time_ms":1764000000000,"event_id":"65-1",)"
                 R"("device_number":65,"generation":2,"epoch":3,"lwm2m_version":"1.1","object_links":"</3/0>",)"
                 R"("ingress_node":7,"ingress_shard":1,"labels":{"site":"x"},"later":[1]})"));
    ASSERT_TRUE(event) << event.error().message;
    EXPECT_TRUE(event->device.registered);
    EXPECT_EQ(event->device.number.value, 65U);
    EXPECT_EQ(event->device.generation, 2U);
    EXPECT_EQ(event->device.owner->node, 7U);
    EXPECT_EQ(event->device.owner->epoch, 3U);
    EXPECT_EQ(event->device.labels.at("site"), "x");
}

TEST(LifecycleEvent, RefusesWhatIsNone) {
    for (const char* text : {"", "[]", "{", "{}", R"({"tenant":"a","endpoint":"e","event":"expired"})",
                             R"({"tenant":"a","endpoint":"e","event":"expired","device_number":65} {})",
                             R"({"tenant":"a","endpoint":"e","event":"expired","device_number":65)",
                             R"({"tenant":"a","endpoint":"e","event":"expired","device_number":-1})",
                             R"({"tenant":"a","endpoint":"e","event":"expired","device_number":4294967296})",
                             "{\"tenant\":\"\xff\",\"endpoint\":\"e\",\"event\":\"expired\",\"device_number\":65}",
                             R"({"tenant":1,"endpoint":"e","event":"expired","device_number":65})"}) {
        EXPECT_FALSE(parse_lifecycle(as_bytes(text))) << text;
    }
    EXPECT_FALSE(parse_lifecycle(as_bytes("\xff")));
}

TEST(LifecycleEvent, ReadsTheProtobufOfTheRegistry) {
    events::v1::LifecycleRecord record;
    record.set_tenant("default");
    record.set_endpoint("e");
    record.set_event("expired");
    record.set_device_number(65);
    record.set_generation(2);
    const auto event = parse_lifecycle(as_bytes(record.SerializeAsString()));
    ASSERT_TRUE(event) << event.error().message;
    EXPECT_EQ(event->device.generation, 2U);
    EXPECT_FALSE(event->device.registered);
}

TEST(LatestCodec, GivesBackEveryTypeOfValue) {
    const lwm2m::Value values[] = {
        std::int64_t{-5},        std::uint64_t{1} << 63,   21.5, true, std::string("a"), Bytes{0, 255}, lwm2m::Time{-7},
        lwm2m::ObjectLink{3, 1}, lwm2m::CoreLink{"</3/0>"}};
    const lwm2m::Path path{3303, 0, 5700};
    for (const lwm2m::Value& value : values) {
        const std::string record = encode_latest_record(value, 1000, 1500, true);
        events::v1::TelemetryRecord found;
        ASSERT_TRUE(read_latest({"/3303/0/5700", 1000, record}, found));
        events::v1::TelemetryRecord expected;
        TelemetryValue telemetry;
        telemetry.path = path;
        telemetry.path_text = "/3303/0/5700";
        telemetry.time_ms = 1000;
        telemetry.received_ms = 1500;
        telemetry.value = &value;
        telemetry.origin = "send";
        fill_record(expected, telemetry);
        EXPECT_EQ(found.SerializeAsString(), expected.SerializeAsString()) << value.index();
    }
    events::v1::TelemetryRecord found;
    EXPECT_FALSE(read_latest({"/3303/0/5700", 1000, "\xff"}, found));
    EXPECT_FALSE(read_latest({"3303/x", 1000, ""}, found));
}

TEST(StoreRecords, DamagedEntriesAreLeftOut) {
    const std::string good = encode_states(std::vector<ObservationState>{{7, State::failed, "4.04", 2, 99}});
    EXPECT_EQ(decode_states(good).size(), 1U);
    EXPECT_EQ(decode_states(good + std::string("\0\0\x09\x02", 4)).size(), 1U);
    EXPECT_TRUE(decode_states(good.substr(0, good.size() - 1)).empty());
    EXPECT_TRUE(decode_latest("\xff\xff\xff").values.empty());
    EXPECT_TRUE(decode_owns(std::string("\0\0\x01\x05", 4)).empty());
}

TEST(LatestBuffer, KeepsTheNewestByTimeOfMeasurement) {
    LatestBuffer buffer(1);
    const lwm2m::Path path{3303, 0, 5700};
    EXPECT_TRUE(buffer.put(DeviceNumber{65}, LatestInput{path, 1.0, 100, 100, false}));
    EXPECT_TRUE(buffer.put(DeviceNumber{65}, LatestInput{path, 2.0, 200, 201, false}));
    EXPECT_TRUE(buffer.put(DeviceNumber{65}, LatestInput{path, 3.0, 150, 300, true})) << "a late one of the past";
    EXPECT_FALSE(buffer.put(DeviceNumber{66}, LatestInput{path, 3.0, 150, 300, true})) << "full";
    const auto taken = buffer.take(10);
    ASSERT_EQ(taken.size(), 1U);
    ASSERT_EQ(taken[0].second.values.size(), 1U);
    EXPECT_EQ(taken[0].second.values[0].path, "/3303/0/5700");
    EXPECT_EQ(taken[0].second.values[0].time_ms, 200);
    EXPECT_EQ(buffer.size(), 0U);
}

}  // namespace
}  // namespace lanyard::observation
