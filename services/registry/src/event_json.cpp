#include "event_json.hpp"

#include "base/json_text.hpp"

namespace lanyard::registry {
namespace {

// Room for all but the link list of usual devices.
constexpr std::size_t kUsualBytes = 640;

// Members of a JSON object at the end of a text, with commas between them. Names need no escaping.
class Members {
  public:
    explicit Members(std::string& out) : out_(out) {}

    void name(std::string_view name) {
        out_ += first_ ? "\"" : ",\"";
        out_ += name;
        out_ += "\":";
        first_ = false;
    }
    void put(std::string_view field, std::string_view text) {
        if (text.empty()) return;
        name(field);
        append_json_string(out_, text);
    }
    template <class Number>
    void put_number(std::string_view field, Number number) {
        if (number == 0) return;
        name(field);
        append_number(out_, number);
    }
    void put_flag(std::string_view field, bool flag) {
        name(field);
        out_ += flag ? "true" : "false";
    }
    // Members that are text already.
    void put_members(std::string_view members) {
        if (members.empty()) return;
        if (!first_) out_ += ',';
        out_ += members;
        first_ = false;
    }

  private:
    std::string& out_;
    bool first_ = true;
};

std::string labels_of(const DeviceProfile& profile) {
    std::string out;
    if (profile.labels.empty()) return out;
    out += "\"labels\":";
    char before = '{';
    for (const auto& [name, value] : profile.labels) {
        out += before;
        append_json_string(out, name);
        out += ':';
        append_json_string(out, value);
        before = ',';
    }
    out += '}';
    return out;
}

std::string registration_of(const EventText& text) {
    const DeviceRecord& device = text.entry.device;
    std::string out;
    if (text.registration_id.empty()) return out;
    out.reserve(kUsualBytes + device.registration.object_links.size());
    Members members(out);
    members.put("registration_id", text.registration_id);
    members.put_number("generation", device.generation);
    members.put_number("epoch", device.epoch);
    members.name("lifetime_s");
    append_number(out, device.lifetime_s);
    members.put("lwm2m_version", device.registration.lwm2m_version);
    members.put("binding", device.registration.binding);
    members.put_flag("queue_mode", device.queue_mode);
    members.put("remote_address", device.registration.remote_address);
    members.put("security_mode", device.registration.security_mode);
    members.put("object_links", device.registration.object_links);
    members.put("ingress_instance", text.instance);
    members.put_number("ingress_node", device.node);
    members.put_number("ingress_shard", device.shard);
    return out;
}

std::string lifecycle_of(const EventText& text, std::string_view registration, std::string_view labels) {
    const DeviceRecord& device = text.entry.device;
    std::string out;
    out.reserve(kUsualBytes + registration.size() + labels.size());
    out += '{';
    Members members(out);
    members.put("tenant", device.tenant);
    members.put("endpoint", device.endpoint);
    members.put("event", to_string(text.entry.event));
    members.put_number("time_ms", text.entry.time_ms);
    members.put("event_id", text.event_id);
    members.put_number("device_number", device.number.value);
    members.put_members(registration);
    members.put_members(labels);
    out += '}';
    return out;
}

std::string device_state_of(const EventText& text, std::string_view registration, std::string_view labels) {
    const DeviceRecord& device = text.entry.device;
    std::string out;
    out.reserve(kUsualBytes + registration.size() + labels.size());
    out += '{';
    Members members(out);
    members.put("tenant", device.tenant);
    members.put("endpoint", device.endpoint);
    members.put("state", state_of(device));
    members.put("event", to_string(text.entry.event));
    members.put_number("time_ms", text.entry.time_ms);
    members.put("event_id", text.event_id);
    members.put("display_name", device.profile.display_name);
    members.put_members(labels);
    members.put_flag("enabled", device.enabled);
    members.put_number("create_ms", device.create_ms);
    members.put_number("device_number", device.number.value);
    if (device.registered) {
        members.name("registration");
        out += '{';
        Members inner(out);
        inner.put_number("time_ms", device.registration.register_ms);
        inner.put_members(registration);
        out += '}';
    }
    out += '}';
    return out;
}

}  // namespace

EventValues event_json(const EventText& text) {
    const std::string registration = registration_of(text);
    const std::string labels = labels_of(text.entry.device.profile);
    return {lifecycle_of(text, registration, labels), device_state_of(text, registration, labels)};
}

}  // namespace lanyard::registry
