#include "latest_codec.hpp"

#include "lanyard/events/v1/telemetry.pb.h"
#include "lanyard/storage/v1/observation.pb.h"
#include "telemetry_value.hpp"

namespace lanyard::observation {
namespace {

using lwm2m::Value;
using lwm2m::ValueType;
using storage::v1::StoredLatestValue;

struct Store {
    StoredLatestValue& out;

    void operator()(std::monostate) const {}
    void operator()(std::int64_t v) const { out.set_int_value(v); }
    void operator()(std::uint64_t v) const { out.set_uint_value(v); }
    void operator()(double v) const { out.set_float_value(v); }
    void operator()(bool v) const { out.set_uint_value(v ? 1 : 0); }
    void operator()(const std::string& v) const { out.set_bytes_value(v); }
    void operator()(const Bytes& v) const { out.set_bytes_value(v.data(), v.size()); }
    void operator()(lwm2m::Time v) const { out.set_int_value(v.seconds); }
    void operator()(const lwm2m::ObjectLink& v) const {
        out.set_uint_value(std::uint64_t{v.object} << 16 | v.instance);
    }
    void operator()(const lwm2m::CoreLink& v) const { out.set_bytes_value(v.text); }
};

Value value_of(const StoredLatestValue& stored) {
    const std::string& bytes = stored.bytes_value();
    switch (static_cast<ValueType>(stored.type())) {
        case ValueType::integer:
            return stored.int_value();
        case ValueType::unsigned_integer:
            return stored.uint_value();
        case ValueType::floating:
            return stored.float_value();
        case ValueType::boolean:
            return stored.uint_value() != 0;
        case ValueType::string:
            return bytes;
        case ValueType::opaque:
            return Bytes(bytes.begin(), bytes.end());
        case ValueType::time:
            return lwm2m::Time{stored.int_value()};
        case ValueType::object_link:
            return lwm2m::ObjectLink{static_cast<std::uint16_t>(stored.uint_value() >> 16),
                                     static_cast<std::uint16_t>(stored.uint_value())};
        case ValueType::core_link:
            return lwm2m::CoreLink{bytes};
        default:
            return {};
    }
}

}  // namespace

std::string encode_latest_record(const Value& value, UnixMillis time_ms, UnixMillis received_ms, bool send) {
    StoredLatestValue stored;
    stored.set_type(static_cast<std::uint32_t>(value.index()));
    stored.set_receive_delay_ms(received_ms - time_ms);
    stored.set_send(send);
    std::visit(Store{stored}, value);
    return stored.SerializeAsString();
}

bool read_latest(const LatestValue& latest, events::v1::TelemetryRecord& out) {
    StoredLatestValue stored;
    const auto path = lwm2m::Path::parse(latest.path);
    if (!path || !stored.ParseFromString(latest.record)) return false;
    const Value decoded = value_of(stored);
    TelemetryValue value;
    value.path = *path;
    value.path_text = latest.path;
    value.time_ms = latest.time_ms;
    value.received_ms = latest.time_ms + stored.receive_delay_ms();
    value.value = &decoded;
    value.origin = stored.send() ? "send" : "notify";
    fill_record(out, value);
    return true;
}

}  // namespace lanyard::observation
