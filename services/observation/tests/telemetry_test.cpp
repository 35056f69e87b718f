#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/hex.hpp"
#include "identity/event_id.hpp"
#include "lanyard/events/v1/telemetry.pb.h"
#include "lanyard/events/v1/uplink.pb.h"
#include "lanyard/observation/v1/observation.pb.h"
#include "spec_table.hpp"
#include "telemetry_emitter.hpp"
#include "telemetry_read.hpp"
#include "telemetry_value.hpp"
#include "uplink_decoder.hpp"

namespace lanyard::observation {
namespace {

using events::v1::TelemetryRecord;
using events::v1::UplinkRecord;
using nlohmann::json;

struct Produced {
    Target target = Target::telemetry;
    std::string key;
    std::string value;
    std::map<std::string, std::string> headers;
    UnixMillis timestamp_ms = 0;
    std::uint64_t opaque = 0;
};

class Recorder final : public Output {
  public:
    Result<void> produce(Target target, const kafka::Record& record) override {
        Produced p{target, std::string(record.key), to_string(record.value), {}, record.timestamp_ms, record.opaque};
        for (const auto& header : record.headers) p.headers.emplace(header.name, header.value);
        records.push_back(std::move(p));
        return {};
    }
    std::vector<Produced> records;
};

class Telemetry : public testing::Test {
  protected:
    Telemetry() {
        const std::vector<Spec> known{{1, {"/3303/0/5700"}}, {2, {"/3303/0"}}, {3, {"/3303/0/5700", "/3/0/9"}}};
        specs.loaded(known);
    }

    static UplinkRecord notify(std::uint32_t spec, std::optional<std::uint32_t> format, std::string payload) {
        UplinkRecord r;
        r.set_tenant("default");
        r.set_endpoint("urn:imei:1");
        r.set_kind(UplinkRecord::KIND_NOTIFY);
        r.set_device_number(65);
        r.set_generation(3);
        r.set_observation_spec(spec);
        r.set_observe_sequence(7);
        r.set_coap_code(0x45);
        if (format) r.set_content_format(*format);
        r.set_payload(std::move(payload));
        r.set_received_ms(1764000000456);
        r.set_event_id("00112233445566778899aabbccddeeff");
        return r;
    }
    static std::string hex(std::string_view text) { return to_string(*from_hex(text)); }

    std::vector<Produced> run(const UplinkRecord& r, TelemetryFormat format = TelemetryFormat::json) {
        Recorder recorder;
        TelemetryEmitter emitter(format, recorder);
        const Decoded decoded = decode_uplink(r, specs);
        const auto* records = std::get_if<lwm2m::Records>(&decoded);
        EXPECT_NE(records, nullptr) << "index " << decoded.index();
        if (records != nullptr) {
            EXPECT_TRUE(emitter.values(r, *records, true, 42));
        }
        return std::move(recorder.records);
    }
    std::string rejected(const UplinkRecord& r) {
        const Decoded decoded = decode_uplink(r, specs);
        const auto* why = std::get_if<Rejection>(&decoded);
        return why == nullptr ? "" : std::string(why->code);
    }

    SpecTable specs;
};

constexpr std::string_view kGolden =
    R"({"tenant":"default","endpoint":"urn:imei:1","path":"/3303/0/5700","object_id":3303,"object_instance_id":0,)"
    R"("resource_id":5700,"object_name":"Temperature","resource_name":"Sensor Value","time_ms":1764000000456,)"
    R"("received_ms":1764000000456,"value_type":"float","value":22.5,"origin":"notify",)"
    R"("event_id":"00112233445566778899aabbccddeeff-0","sequence":"3.7","fresh":true})";

TEST_F(Telemetry, TextOfOneResourceIsTheGoldenRecord) {
    const auto out = run(notify(1, 0, "22.5"));
    ASSERT_EQ(out.size(), 1U);
    EXPECT_EQ(out[0].value, kGolden);
    EXPECT_EQ(out[0].key, "default/urn:imei:1");
    EXPECT_EQ(out[0].opaque, 42U);
}

TEST_F(Telemetry, HeadersAreCloudEvents) {
    const auto out = run(notify(1, 0, "22.5"));
    const std::map<std::string, std::string> wanted{
        {"content-type", "application/json"},
        {"ce_specversion", "1.0"},
        {"ce_id", "00112233445566778899aabbccddeeff-0"},
        {"ce_type", "cloud.lanyard.telemetry.value.v1"},
        {"ce_source", "/tenants/default/devices/urn:imei:1"},
        {"ce_subject", "/3303/0/5700"},
        {"ce_time", "2025-11-24T16:00:00.456Z"},
        {"ce_partitionkey", "default/urn:imei:1"},
        {"ce_sequence", "3.7"},
        {"ce_tenantid", "default"},
    };
    EXPECT_EQ(out.at(0).headers, wanted);
}

TEST_F(Telemetry, EveryFormatOfTheSameValueGivesTheSameRecord) {
    const std::string float_22_5 = "41b40000";
    // TLV: type byte of a resource with a 16-bit id and length 4 (LwM2M core 1.1 section 7.4.3), then id and value.
    EXPECT_EQ(run(notify(1, 11542, hex("e41644" + float_22_5))).at(0).value, kGolden);
    EXPECT_EQ(run(notify(2, 11542, hex("e41644" + float_22_5))).at(0).value, kGolden);
    EXPECT_EQ(run(notify(2, 110, R"([{"bn":"/3303/0/","n":"5700","v":22.5}])")).at(0).value, kGolden);
    // SenML CBOR: [{-2: "/3303/0/", 0: "5700", 2: 22.5f}].
    EXPECT_EQ(run(notify(2, 112, hex("81a3 21 68 2f333330332f302f 00 64 35373030 02 fa" + float_22_5))).at(0).value,
              kGolden);
}

TEST_F(Telemetry, MissingFormatOfOneResourceIsText) {
    EXPECT_EQ(run(notify(1, {}, "22.5")).at(0).value, kGolden);
    EXPECT_EQ(rejected(notify(2, {}, "22.5")), "MISSING_FORMAT");
}

TEST_F(Telemetry, HistoryKeepsTheTimesOfTheDevice) {
    const auto out = run(notify(1, 110, R"([{"bn":"/3303/0/5700","bt":1700000000,"v":1},{"t":60.5,"v":2}])"));
    ASSERT_EQ(out.size(), 2U);
    const json first = json::parse(out[0].value);
    const json second = json::parse(out[1].value);
    EXPECT_EQ(first["time_ms"], 1700000000000);
    EXPECT_EQ(second["time_ms"], 1700000060500);
    EXPECT_EQ(second["received_ms"], 1764000000456);
    EXPECT_EQ(first["event_id"], identity::value_event_id("00112233445566778899aabbccddeeff", 0));
    EXPECT_EQ(second["event_id"], identity::value_event_id("00112233445566778899aabbccddeeff", 1));
    EXPECT_EQ(out[1].headers.at("ce_time"), "2023-11-14T22:14:20.500Z");
}

TEST_F(Telemetry, SendHasNoSequence) {
    UplinkRecord r = notify(0, 110, R"([{"n":"/3303/0/5700","v":22.5},{"n":"/3/0/9","v":80}])");
    r.set_kind(UplinkRecord::KIND_SEND);
    r.clear_observe_sequence();
    const auto out = run(r);
    ASSERT_EQ(out.size(), 2U);
    const json second = json::parse(out[1].value);
    EXPECT_EQ(second["origin"], "send");
    EXPECT_FALSE(second.contains("sequence"));
    EXPECT_EQ(second["value_int"], 80);
    EXPECT_EQ(second["path"], "/3/0/9");
}

TEST_F(Telemetry, UndecodableRecordsAreRejectedWithACode) {
    EXPECT_EQ(rejected(notify(1, 0, "warm")), "UNDECODABLE_PAYLOAD");
    EXPECT_EQ(rejected(notify(1, 999, "22.5")), "UNSUPPORTED_FORMAT");
    EXPECT_EQ(rejected(notify(1, 40, "</3>")), "UNSUPPORTED_FORMAT");
    EXPECT_EQ(rejected(notify(0, 0, "22.5")), "UNKNOWN_SPEC");
    EXPECT_EQ(rejected(notify(70000, 0, "22.5")), "UNKNOWN_SPEC");
    UplinkRecord nameless = notify(1, 0, "22.5");
    nameless.clear_tenant();
    EXPECT_EQ(rejected(nameless), "INVALID_RECORD");
    EXPECT_TRUE(std::holds_alternative<UnknownSpec>(decode_uplink(notify(9, 0, "22.5"), specs)));
}

TEST_F(Telemetry, NamesBelowAnAlternateRootAreTakenWithoutIt) {
    constexpr std::uint32_t kSenmlJson = 110;
    UplinkRecord r = notify(1, kSenmlJson, R"([{"n":"/lwm2m/3303/0/5700","v":22.5}])");
    EXPECT_EQ(rejected(r), "UNDECODABLE_PAYLOAD");
    r.set_root_path("/lwm2m");
    EXPECT_EQ(json::parse(run(r).at(0).value)["path"], "/3303/0/5700");
    r.set_payload(R"([{"n":"/3303/0/5700","v":22.5}])");
    EXPECT_EQ(run(r).size(), 1U) << "a device may leave it out";
}

TEST_F(Telemetry, ErrorNotificationEndsTheObservation) {
    UplinkRecord r = notify(1, {}, "");
    r.set_coap_code(0x84);
    const Decoded decoded = decode_uplink(r, specs);
    ASSERT_TRUE(std::holds_alternative<Ended>(decoded));
    EXPECT_EQ(std::get<Ended>(decoded).reason, "4.04 Not Found");
}

TEST_F(Telemetry, DeadLetterKeepsTheOriginalBytes) {
    Recorder recorder;
    TelemetryEmitter emitter(TelemetryFormat::json, recorder);
    const Origin origin{"lwm2m.uplink.v1", 4, 99, 1764000000456, "default/x", as_bytes("\xff\x01")};
    ASSERT_TRUE(emitter.dead_letter(origin, {"UNDECODABLE_PAYLOAD", "bad"}, "", "11542", 1));
    const Produced& p = recorder.records.at(0);
    EXPECT_EQ(p.target, Target::dead_letter);
    EXPECT_EQ(p.key, "default/x");
    EXPECT_EQ(p.value, "\xff\x01");
    EXPECT_EQ(p.headers.at("lwm2m-error-code"), "UNDECODABLE_PAYLOAD");
    EXPECT_EQ(p.headers.at("lwm2m-error-message"), "bad");
    EXPECT_EQ(p.headers.at("lwm2m-content-format"), "11542");
    EXPECT_EQ(p.headers.at("lwm2m-original-topic"), "lwm2m.uplink.v1");
    EXPECT_EQ(p.headers.at("lwm2m-original-offset"), "99");
    EXPECT_EQ(p.headers.at("ce_id"), "lwm2m.uplink.v1-4-99");
}

// Both forms of one value, read back.
struct Forms {
    TelemetryRecord from_json;
    TelemetryRecord from_protobuf;
    json document;
};
Forms both(const lwm2m::Value& value) {
    TelemetryValue v;
    v.tenant = "t";
    v.endpoint = "e";
    v.path = lwm2m::Path{3, 0, 11, 0};
    v.path_text = "/3/0/11/0";
    v.object_name = "Device";
    v.time_ms = 0;
    v.received_ms = -1;
    v.value = &value;
    v.origin = "send";
    v.event_id = "id";
    v.fresh = false;
    Forms out;
    std::string text;
    append_json(text, v);
    out.document = json::parse(text);
    EXPECT_TRUE(read_telemetry(as_bytes(text), "application/json", out.from_json));
    TelemetryRecord record;
    fill_record(record, v);
    EXPECT_TRUE(read_telemetry(as_bytes(record.SerializeAsString()), "application/protobuf", out.from_protobuf));
    return out;
}

TEST(TelemetryForms, JsonAndProtobufSayTheSame) {
    using lwm2m::Value;
    const std::vector<Value> values{std::int64_t{0},
                                    std::numeric_limits<std::int64_t>::min(),
                                    std::numeric_limits<std::uint64_t>::max(),
                                    0.0,
                                    -0.1,
                                    1e300,
                                    5e-324,
                                    true,
                                    false,
                                    std::string(),
                                    std::string("a\"\\\n\x01 \xc3\xa9"),
                                    Bytes{},
                                    Bytes{0, 1, 0xff, 0x80},
                                    Bytes{9},
                                    lwm2m::Time{1700000000},
                                    lwm2m::ObjectLink{3, 0},
                                    lwm2m::CoreLink{"</3/0>"},
                                    std::numeric_limits<double>::quiet_NaN(),
                                    -std::numeric_limits<double>::infinity()};
    for (const Value& value : values) {
        const Forms forms = both(value);
        EXPECT_EQ(forms.from_json.SerializeAsString(), forms.from_protobuf.SerializeAsString())
            << forms.document.dump();
    }
}

TEST(TelemetryForms, NumbersAreNumbersAndZerosAreKept) {
    const json document = both(std::int64_t{0}).document;
    EXPECT_TRUE(document["value"].is_number());
    EXPECT_EQ(document["value_int"], 0);
    EXPECT_EQ(document["time_ms"], 0);
    EXPECT_EQ(document["received_ms"], -1);
    EXPECT_EQ(document["object_instance_id"], 0);
    EXPECT_EQ(document["resource_instance_id"], 0);
    EXPECT_EQ(document["fresh"], false);
    EXPECT_FALSE(document.contains("unit"));
    EXPECT_FALSE(document.contains("value_string"));
    EXPECT_EQ(both(std::numeric_limits<std::int64_t>::min()).document["value_int"].get<std::int64_t>(),
              std::numeric_limits<std::int64_t>::min());
    EXPECT_EQ(both(std::numeric_limits<std::uint64_t>::max()).document["value_uint"].get<std::uint64_t>(),
              std::numeric_limits<std::uint64_t>::max());
}

TEST(TelemetryForms, NotANumberHasNoValue) {
    const json document = both(std::numeric_limits<double>::infinity()).document;
    EXPECT_FALSE(document.contains("value"));
    EXPECT_EQ(document["value_string"], "Infinity");
    EXPECT_EQ(document["value_type"], "float");
}

TEST(TelemetryForms, BytesThatAreNotUtf8AreReplaced) {
    EXPECT_EQ(both(std::string("a\xffz\xed\xa0\x80")).document["value_string"],
              "a\xef\xbf\xbdz\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
}

TEST(TelemetryForms, ApiValueHasTheTypeOfTheRecord) {
    v1::LatestValue latest;
    fill_latest(both(lwm2m::Time{5}).from_json, latest);
    EXPECT_EQ(latest.node().time_value().seconds(), 5);
    fill_latest(both(true).from_json, latest);
    EXPECT_TRUE(latest.node().bool_value());
    fill_latest(both(std::numeric_limits<double>::quiet_NaN()).from_json, latest);
    EXPECT_TRUE(std::isnan(latest.node().double_value()));
}

}  // namespace
}  // namespace lanyard::observation
