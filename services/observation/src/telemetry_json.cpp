#include <cmath>

#include "base/base64.hpp"
#include "base/json_text.hpp"
#include "telemetry_value.hpp"

namespace lanyard::observation {
namespace {

// Writes `,"name":` and the value. Names are literals that need no escape.
class ObjectWriter {
  public:
    explicit ObjectWriter(std::string& out) : out_(out) { out_ += '{'; }
    void close() { out_ += '}'; }

    void text(std::string_view name, std::string_view value) {
        key(name);
        append_json_string(out_, value);
    }
    void optional_text(std::string_view name, std::string_view value) {
        if (!value.empty()) text(name, value);
    }
    template <class Number>
    void number(std::string_view name, Number value) {
        key(name);
        append_number(out_, value);
    }
    void boolean(std::string_view name, bool value) {
        key(name);
        out_ += value ? "true" : "false";
    }
    void base64(std::string_view name, ByteView value) {
        key(name);
        out_ += '"';
        append_base64(out_, value);
        out_ += '"';
    }

  private:
    void key(std::string_view name) {
        if (!first_) out_ += ',';
        first_ = false;
        out_ += '"';
        out_ += name;
        out_ += "\":";
    }

    std::string& out_;
    bool first_ = true;
};

struct WriteValue {
    ObjectWriter& w;

    void operator()(std::monostate) const {}
    template <class Integer>
    void integer(std::string_view exact, Integer v) const {
        w.number("value", static_cast<double>(v));
        w.number(exact, v);
    }
    void operator()(std::int64_t v) const { integer("value_int", v); }
    void operator()(std::uint64_t v) const { integer("value_uint", v); }
    void operator()(double v) const {
        if (std::isfinite(v)) {
            w.number("value", v);
        } else {
            w.text("value_string", std::isnan(v) ? "NaN" : v > 0 ? "Infinity" : "-Infinity");
        }
    }
    void operator()(bool v) const {
        w.number("value", v ? 1 : 0);
        w.boolean("value_bool", v);
    }
    void operator()(const std::string& v) const { w.text("value_string", v); }
    void operator()(const Bytes& v) const { w.base64("value_bytes", v); }
    void operator()(lwm2m::Time v) const { integer("value_int", v.seconds); }
    void operator()(const lwm2m::ObjectLink& v) const { w.text("value_string", v.to_string()); }
    void operator()(const lwm2m::CoreLink& v) const { w.text("value_string", v.text); }
};

}  // namespace

void append_path(std::string& out, const lwm2m::Path& path) {
    if (path.is_root()) out += '/';
    for (std::size_t i = 0; i < path.size(); ++i) {
        out += '/';
        append_number(out, path[i]);
    }
}

void append_json(std::string& out, const TelemetryValue& v) {
    ObjectWriter w(out);
    w.text("tenant", v.tenant);
    w.text("endpoint", v.endpoint);
    w.text("path", v.path_text);
    w.number("object_id", v.path.object().value_or(0));
    w.number("object_instance_id", v.path.instance().value_or(0));
    w.number("resource_id", v.path.resource().value_or(0));
    if (const auto instance = v.path.resource_instance()) w.number("resource_instance_id", *instance);
    w.optional_text("object_name", v.object_name);
    w.optional_text("resource_name", v.resource_name);
    w.optional_text("unit", v.unit);
    w.number("time_ms", v.time_ms);
    w.number("received_ms", v.received_ms);
    w.text("value_type", lwm2m::to_string(lwm2m::type_of(*v.value)));
    std::visit(WriteValue{w}, *v.value);
    w.text("origin", v.origin);
    w.text("event_id", v.event_id);
    w.optional_text("sequence", v.sequence);
    w.boolean("fresh", v.fresh);
    w.close();
}

}  // namespace lanyard::observation
