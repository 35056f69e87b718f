// CPU of one notification between Kafka and Kafka: parse, decode, remember, write JSON and headers. The goal is at
// most 8 us of CPU a notification, with what librdkafka takes on top.
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "freshness.hpp"
#include "lanyard/events/v1/uplink.pb.h"
#include "latest_buffer.hpp"
#include "spec_table.hpp"
#include "telemetry_emitter.hpp"
#include "uplink_decoder.hpp"

namespace lanyard::observation {
namespace {

using events::v1::UplinkRecord;

class Sink final : public Output {
  public:
    Result<void> produce(Target, const kafka::Record& record) override {
        benchmark::DoNotOptimize(record.value.data());
        return {};
    }
};

std::vector<std::string> uplinks(std::uint32_t format, const std::string& payload, std::uint32_t spec) {
    std::vector<std::string> out;
    for (std::uint32_t device = 1; device <= 10000; ++device) {
        UplinkRecord r;
        r.set_tenant("default");
        r.set_endpoint("urn:imei:35693803564" + std::to_string(device));
        r.set_kind(UplinkRecord::KIND_NOTIFY);
        r.set_device_number(device);
        r.set_generation(1);
        r.set_observation_spec(spec);
        r.set_observe_sequence(device);
        r.set_coap_code(0x45);
        r.set_content_format(format);
        r.set_payload(payload);
        r.set_received_ms(1764000000000);
        r.set_event_id("00112233445566778899aabbccddeeff");
        out.push_back(r.SerializeAsString());
    }
    return out;
}

void run(benchmark::State& state, TelemetryFormat format, const std::vector<std::string>& records) {
    SpecTable specs;
    const std::vector<Spec> known{{1, {"/3303/0/5700"}}, {2, {"/3303/0"}}};
    specs.loaded(known);
    Freshness freshness(1000000);
    LatestBuffer latest(1000000);
    Sink sink;
    TelemetryEmitter emitter(format, sink);
    UplinkRecord record;
    std::size_t at = 0;
    for (auto _ : state) {
        const std::string& bytes = records[at++ % records.size()];
        record.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
        Decoded decoded = decode_uplink(record, specs);
        auto& values = std::get<lwm2m::Records>(decoded);
        const DeviceNumber device{record.device_number()};
        const auto spec = static_cast<SpecId>(record.observation_spec());
        const bool fresh = freshness.observe(device, spec, record.generation(), record.observe_sequence(), 0);
        benchmark::DoNotOptimize(emitter.values(record, values, fresh, 1).has_value());
        for (lwm2m::Record& r : values) {
            latest.put(device, LatestInput{r.path, std::move(r.value), record.received_ms(), 0, false});
        }
        latest.put(device, LastNotify{spec, 1, record.observe_sequence(), record.received_ms()});
    }
    state.SetItemsProcessed(state.iterations());
}

void text_to_json(benchmark::State& state) {
    run(state, TelemetryFormat::json, uplinks(0, "22.5", 1));
}
void text_to_protobuf(benchmark::State& state) {
    run(state, TelemetryFormat::protobuf, uplinks(0, "22.5", 1));
}
void senml_json_to_json(benchmark::State& state) {
    run(state, TelemetryFormat::json, uplinks(110, R"([{"bn":"/3303/0/","n":"5700","v":22.5}])", 2));
}

BENCHMARK(text_to_json);
BENCHMARK(text_to_protobuf);
BENCHMARK(senml_json_to_json);

}  // namespace
}  // namespace lanyard::observation
