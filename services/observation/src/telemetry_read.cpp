#include "telemetry_read.hpp"

#include <cmath>
#include <limits>
#include <string>

#include <nlohmann/json.hpp>

#include "base/base64.hpp"
#include "lanyard/events/v1/telemetry.pb.h"
#include "lanyard/observation/v1/observation.pb.h"
#include "lwm2m/value.hpp"
#include "lwm2m_proto/node.hpp"
#include "lwm2m_proto/timestamp.hpp"

namespace lanyard::observation {
namespace {

using events::v1::TelemetryRecord;
using nlohmann::json;

// Reads members of one object; a member of another type counts as absent.
class Members {
  public:
    explicit Members(const json& object) : object_(object) {}

    [[nodiscard]] std::string text(const char* name) const {
        const auto at = object_.find(name);
        return at != object_.end() && at->is_string() ? at->get<std::string>() : std::string();
    }
    [[nodiscard]] bool has(const char* name) const { return object_.contains(name); }
    template <class Number>
    [[nodiscard]] Number number(const char* name) const {
        const auto at = object_.find(name);
        return at != object_.end() && at->is_number() ? at->get<Number>() : Number{};
    }
    [[nodiscard]] bool boolean(const char* name) const {
        const auto at = object_.find(name);
        return at != object_.end() && at->is_boolean() && at->get<bool>();
    }

  private:
    const json& object_;
};

void read_value(const Members& in, TelemetryRecord& out) {
    if (in.has("value")) out.set_value(in.number<double>("value"));
    if (in.has("value_int")) out.set_value_int(in.number<std::int64_t>("value_int"));
    if (in.has("value_uint")) out.set_value_uint(in.number<std::uint64_t>("value_uint"));
    if (in.has("value_string")) out.set_value_string(in.text("value_string"));
    if (in.has("value_bool")) out.set_value_bool(in.boolean("value_bool"));
    if (in.has("value_bytes")) {
        if (const auto bytes = from_base64(in.text("value_bytes"))) out.set_value_bytes(bytes->data(), bytes->size());
    }
}

Result<void> read_json(ByteView value, TelemetryRecord& out) {
    const json object = json::parse(value.begin(), value.end(), nullptr, false);
    if (!object.is_object()) return make_error(Errc::invalid_argument, "not a JSON object");
    const Members in(object);
    out.Clear();
    out.set_tenant(in.text("tenant"));
    out.set_endpoint(in.text("endpoint"));
    out.set_path(in.text("path"));
    out.set_object_id(in.number<std::uint32_t>("object_id"));
    out.set_object_instance_id(in.number<std::uint32_t>("object_instance_id"));
    out.set_resource_id(in.number<std::uint32_t>("resource_id"));
    if (in.has("resource_instance_id")) out.set_resource_instance_id(in.number<std::uint32_t>("resource_instance_id"));
    out.set_object_name(in.text("object_name"));
    out.set_resource_name(in.text("resource_name"));
    out.set_unit(in.text("unit"));
    out.set_time_ms(in.number<std::int64_t>("time_ms"));
    out.set_received_ms(in.number<std::int64_t>("received_ms"));
    out.set_value_type(in.text("value_type"));
    read_value(in, out);
    out.set_origin(in.text("origin"));
    out.set_event_id(in.text("event_id"));
    out.set_sequence(in.text("sequence"));
    out.set_fresh(in.boolean("fresh"));
    return {};
}

double float_of(const TelemetryRecord& record) {
    if (record.has_value()) return record.value();
    if (record.value_string() == "NaN") return std::numeric_limits<double>::quiet_NaN();
    const double infinity = std::numeric_limits<double>::infinity();
    return record.value_string() == "-Infinity" ? -infinity : infinity;
}

lwm2m::Value value_of(const TelemetryRecord& record) {
    using lwm2m::ValueType;
    switch (lwm2m::value_type_from(record.value_type()).value_or(ValueType::string)) {
        case ValueType::floating:
            return float_of(record);
        case ValueType::integer:
            return std::int64_t{record.value_int()};
        case ValueType::unsigned_integer:
            return std::uint64_t{record.value_uint()};
        case ValueType::boolean:
            return record.value_bool();
        case ValueType::opaque: {
            const ByteView bytes = as_bytes(record.value_bytes());
            return Bytes(bytes.begin(), bytes.end());
        }
        case ValueType::time:
            return lwm2m::Time{record.value_int()};
        case ValueType::object_link: {
            const auto link = lwm2m::ObjectLink::parse(record.value_string());
            return link ? *link : lwm2m::ObjectLink{};
        }
        default:
            return record.value_string();
    }
}

}  // namespace

Result<void> read_telemetry(ByteView value, std::string_view content_type, TelemetryRecord& out) {
    if (content_type != "application/protobuf") return read_json(value, out);
    if (out.ParseFromArray(value.data(), static_cast<int>(value.size()))) return {};
    return make_error(Errc::invalid_argument, "not a TelemetryRecord");
}

void fill_latest(const TelemetryRecord& record, v1::LatestValue& out) {
    auto& node = *out.mutable_node();
    node.set_path(record.path());
    lwm2m_proto::set_value(node, value_of(record));
    *node.mutable_measure_time() = lwm2m_proto::to_timestamp(record.time_ms());
    *out.mutable_receive_time() = lwm2m_proto::to_timestamp(record.received_ms());
    out.set_origin(record.origin());
}

}  // namespace lanyard::observation
