#include "event_json.hpp"

#include "base/json_text.hpp"
#include "event_value.hpp"

namespace lanyard::registry {
namespace {

// Room for all but the link list of usual devices.
constexpr std::size_t kUsualBytes = 640;

// One JSON object at the end of a text. Names need no escaping.
class ObjectText {
  public:
    explicit ObjectText(std::string& out) : out_(out) { out_ += '{'; }
    void end() { out_ += '}'; }

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

  private:
    std::string& out_;
    bool first_ = true;
};

void put_labels(std::string& out, ObjectText& object, const DeviceProfile& profile) {
    if (profile.labels.empty()) return;
    object.name("labels");
    char before = '{';
    for (const auto& [name, value] : profile.labels) {
        out += before;
        append_json_string(out, name);
        out += ':';
        append_json_string(out, value);
        before = ',';
    }
    out += '}';
}

void put_registration(std::string& out, ObjectText& object, const EventText& text) {
    const DeviceRecord& device = text.entry.device;
    if (text.registration_id.empty()) return;
    object.put("registration_id", text.registration_id);
    object.put_number("generation", device.generation);
    object.put_number("epoch", device.epoch);
    object.name("lifetime_s");
    append_number(out, device.lifetime_s);
    object.put("lwm2m_version", device.registration.lwm2m_version);
    object.put("binding", device.registration.binding);
    object.put_flag("queue_mode", device.queue_mode);
    object.put("remote_address", device.registration.remote_address);
    object.put("security_mode", device.registration.security_mode);
    object.put("object_links", device.registration.object_links);
    object.put("ingress_instance", text.instance);
    object.put_number("ingress_node", device.node);
    object.put_number("ingress_shard", device.shard);
}

}  // namespace

std::string lifecycle_json(const EventText& text) {
    const DeviceRecord& device = text.entry.device;
    std::string out;
    out.reserve(kUsualBytes + device.registration.object_links.size());
    ObjectText object(out);
    object.put("tenant", device.tenant);
    object.put("endpoint", device.endpoint);
    object.put("event", to_string(text.entry.event));
    object.put_number("time_ms", text.entry.time_ms);
    object.put("event_id", text.event_id);
    object.put_number("device_number", device.number.value);
    put_registration(out, object, text);
    put_labels(out, object, device.profile);
    object.end();
    return out;
}

std::string device_state_json(const EventText& text) {
    const DeviceRecord& device = text.entry.device;
    std::string out;
    out.reserve(kUsualBytes + device.registration.object_links.size());
    ObjectText object(out);
    object.put("tenant", device.tenant);
    object.put("endpoint", device.endpoint);
    object.put("state", state_of(device));
    object.put("event", to_string(text.entry.event));
    object.put_number("time_ms", text.entry.time_ms);
    object.put("event_id", text.event_id);
    object.put("display_name", device.profile.display_name);
    put_labels(out, object, device.profile);
    object.put_flag("enabled", device.enabled);
    object.put_number("create_ms", device.create_ms);
    object.put_number("device_number", device.number.value);
    if (device.registered) {
        object.name("registration");
        ObjectText registration(out);
        registration.put_number("time_ms", device.registration.register_ms);
        put_registration(out, registration, text);
        registration.end();
    }
    object.end();
    return out;
}

}  // namespace lanyard::registry
