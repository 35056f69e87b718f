#include "telemetry_emitter.hpp"

#include "base/json_text.hpp"
#include "base/rfc3339.hpp"
#include "identity/event_id.hpp"
#include "lanyard/events/v1/telemetry.pb.h"
#include "lanyard/events/v1/uplink.pb.h"
#include "resource_names.hpp"
#include "telemetry_value.hpp"

namespace lanyard::observation {
namespace {

constexpr std::string_view kValueType = "cloud.lanyard.telemetry.value.v1";
constexpr std::string_view kDeadLetterType = "cloud.lanyard.dead-letter.v1";

}  // namespace

TelemetryEmitter::TelemetryEmitter(TelemetryFormat format, Output& output)
    : format_(format), output_(output), message_(std::make_unique<events::v1::TelemetryRecord>()) {}
TelemetryEmitter::~TelemetryEmitter() = default;

// What all values of one uplink record share.
void TelemetryEmitter::start(const events::v1::UplinkRecord& uplink) {
    key_.assign(uplink.tenant()).append("/").append(uplink.endpoint());
    source_.assign("/tenants/").append(uplink.tenant()).append("/devices/").append(uplink.endpoint());
    sequence_.clear();
    if (uplink.has_observe_sequence()) {
        append_number(sequence_, uplink.generation());
        sequence_ += '.';
        append_number(sequence_, uplink.observe_sequence());
    }
}

Result<void> TelemetryEmitter::values(const events::v1::UplinkRecord& uplink, const lwm2m::Records& records, bool fresh,
                                      std::uint64_t opaque) {
    start(uplink);
    for (std::size_t i = 0; i < records.size(); ++i) {
        if (auto produced = value(uplink, records[i], i, fresh, opaque); !produced) return produced;
    }
    return {};
}

Result<void> TelemetryEmitter::value(const events::v1::UplinkRecord& uplink, const lwm2m::Record& record,
                                     std::size_t index, bool fresh, std::uint64_t opaque) {
    path_.clear();
    append_path(path_, record.path);
    id_.assign(uplink.event_id()).push_back('-');
    append_number(id_, index);
    TelemetryValue v;
    v.tenant = uplink.tenant();
    v.endpoint = uplink.endpoint();
    v.path = record.path;
    v.path_text = path_;
    name_value(v);
    v.time_ms = record.time.value_or(uplink.received_ms());
    v.received_ms = uplink.received_ms();
    v.value = &record.value;
    v.origin = uplink.kind() == events::v1::UplinkRecord::KIND_SEND ? "send" : "notify";
    v.event_id = id_;
    v.sequence = sequence_;
    v.fresh = fresh;

    body_.clear();
    if (format_ == TelemetryFormat::json) {
        append_json(body_, v);
    } else {
        fill_record(*message_, v);
        message_->SerializeToString(&body_);
    }
    time_.clear();
    append_rfc3339(time_, v.time_ms);
    headers_.set({
        .content_type = format_ == TelemetryFormat::json ? "application/json" : "application/protobuf",
        .id = id_,
        .type = kValueType,
        .source = source_,
        .subject = path_,
        .time = time_,
        .partition_key = key_,
        .sequence = sequence_,
        .tenant = uplink.tenant(),
    });

    kafka::Record out;
    out.key = key_;
    out.value = as_bytes(body_);
    out.headers = headers_.view();
    out.timestamp_ms = uplink.received_ms();
    out.opaque = opaque;
    return output_.produce(Target::telemetry, out);
}

Result<void> TelemetryEmitter::dead_letter(const Origin& origin, const Rejection& why, std::string_view event_id,
                                           std::string_view content_format, std::uint64_t opaque) {
    const std::string partition = std::to_string(origin.partition);
    const std::string offset = std::to_string(origin.offset);
    const std::string timestamp = std::to_string(origin.timestamp_ms);
    id_.assign(event_id);
    if (id_.empty()) id_.append(origin.topic).append("-").append(partition).append("-").append(offset);
    time_.clear();
    append_rfc3339(time_, origin.timestamp_ms);
    headers_.set({
        .content_type = "application/protobuf",
        .id = id_,
        .type = kDeadLetterType,
        .source = origin.topic,
        .time = time_,
        .partition_key = origin.key,
    });
    headers_.add("lwm2m-error-code", why.code);
    headers_.add("lwm2m-error-message", why.message);
    headers_.add("lwm2m-content-format", content_format);
    headers_.add("lwm2m-original-topic", origin.topic);
    headers_.add("lwm2m-original-partition", partition);
    headers_.add("lwm2m-original-offset", offset);
    headers_.add("lwm2m-original-timestamp", timestamp);

    kafka::Record out;
    out.key = origin.key;
    out.value = origin.bytes;
    out.headers = headers_.view();
    out.opaque = opaque;
    return output_.produce(Target::dead_letter, out);
}

}  // namespace lanyard::observation
