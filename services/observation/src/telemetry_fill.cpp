#include <cmath>

#include "base/utf8.hpp"
#include "lanyard/events/v1/telemetry.pb.h"
#include "telemetry_value.hpp"

namespace lanyard::observation {
namespace {

void assign(std::string* to, std::string_view text) {
    to->assign(text.data(), text.size());
}

struct FillValue {
    events::v1::TelemetryRecord& out;

    void operator()(std::monostate) const {}
    void operator()(std::int64_t v) const {
        out.set_value(static_cast<double>(v));
        out.set_value_int(v);
    }
    void operator()(std::uint64_t v) const {
        out.set_value(static_cast<double>(v));
        out.set_value_uint(v);
    }
    // Protobuf could carry NaN; left out all the same, so that both forms say the same.
    void operator()(double v) const {
        if (std::isfinite(v)) {
            out.set_value(v);
        } else {
            out.set_value_string(std::isnan(v) ? "NaN" : v > 0 ? "Infinity" : "-Infinity");
        }
    }
    void operator()(bool v) const {
        out.set_value(v ? 1 : 0);
        out.set_value_bool(v);
    }
    void operator()(const std::string& v) const { out.set_value_string(to_utf8(v)); }
    void operator()(const Bytes& v) const { out.set_value_bytes(v.data(), v.size()); }
    void operator()(lwm2m::Time v) const {
        out.set_value(static_cast<double>(v.seconds));
        out.set_value_int(v.seconds);
    }
    void operator()(const lwm2m::ObjectLink& v) const { out.set_value_string(v.to_string()); }
    void operator()(const lwm2m::CoreLink& v) const { out.set_value_string(to_utf8(v.text)); }
};

}  // namespace

void fill_record(events::v1::TelemetryRecord& out, const TelemetryValue& v) {
    out.Clear();
    assign(out.mutable_tenant(), v.tenant);
    assign(out.mutable_endpoint(), v.endpoint);
    assign(out.mutable_path(), v.path_text);
    out.set_object_id(v.path.object().value_or(0));
    out.set_object_instance_id(v.path.instance().value_or(0));
    out.set_resource_id(v.path.resource().value_or(0));
    if (const auto instance = v.path.resource_instance()) out.set_resource_instance_id(*instance);
    assign(out.mutable_object_name(), v.object_name);
    assign(out.mutable_resource_name(), v.resource_name);
    assign(out.mutable_unit(), v.unit);
    out.set_time_ms(v.time_ms);
    out.set_received_ms(v.received_ms);
    assign(out.mutable_value_type(), lwm2m::to_string(lwm2m::type_of(*v.value)));
    std::visit(FillValue{out}, *v.value);
    assign(out.mutable_origin(), v.origin);
    assign(out.mutable_event_id(), v.event_id);
    assign(out.mutable_sequence(), v.sequence);
    out.set_fresh(v.fresh);
}

}  // namespace lanyard::observation
