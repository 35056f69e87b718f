// What observation reads back: telemetry and lifecycle events in Kafka, its records in Redis, the content of tokens.
// The first byte chooses the decoder.

#include "identity/sealed_token.hpp"
#include "lanyard/events/v1/telemetry.pb.h"
#include "lanyard/observation/v1/observation.pb.h"
#include "lifecycle_event.hpp"
#include "resume_token.hpp"
#include "store_records.hpp"
#include "telemetry_read.hpp"

namespace lanyard::observation {
namespace {

constexpr SipKey kKey{1, 2, 3};

void telemetry(std::string_view raw, std::string_view type) {
    events::v1::TelemetryRecord record;
    if (!read_telemetry(as_bytes(raw), type, record)) return;
    v1::LatestValue value;
    fill_latest(record, value);
}

void decode(std::uint8_t which, std::string_view raw) {
    switch (which % 10) {
        case 0:
            return telemetry(raw, "application/json");
        case 1:
            return telemetry(raw, "application/protobuf");
        case 2:
        case 3:
            (void)parse_lifecycle(as_bytes(raw));
            return;
        case 4:
            (void)decode_spec(5, raw);
            return;
        case 5:
            (void)decode_template(raw);
            return;
        case 6:
            (void)decode_owns(raw);
            return;
        case 7:
            (void)decode_states(raw);
            return;
        case 8:
            (void)decode_latest(raw);
            return;
        default:
            (void)open_position(kKey, "tenants/a",
                                identity::seal(kKey, identity::TokenKind::value_stream,
                                               identity::token_scope("tenants/a"), as_bytes(raw)));
    }
}

}  // namespace
}  // namespace lanyard::observation

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    lanyard::observation::decode(data[0], {reinterpret_cast<const char*>(data) + 1, size - 1});
    return 0;
}
