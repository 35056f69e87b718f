#include "event_value.hpp"

#include <nlohmann/json.hpp>

#include "event_json.hpp"
#include "identity/registration_id.hpp"
#include "lanyard/events/v1/lifecycle.pb.h"

namespace lanyard::registry {
namespace {

using events::v1::DeviceStateRecord;
using events::v1::LifecycleRecord;
using nlohmann::json;

std::string text_of(const json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}
template <class Number>
Number number_of(const json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_number_integer() ? found->get<Number>() : Number{};
}
bool bool_of(const json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_boolean() && found->get<bool>();
}
void read_labels(const json& object, DeviceStateRecord& record) {
    const auto found = object.find("labels");
    if (found == object.end() || !found->is_object()) return;
    for (const auto& [name, value] : found->items()) {
        if (value.is_string()) (*record.mutable_labels())[name] = value.get<std::string>();
    }
}

void read_registration(const json& in, LifecycleRecord& r) {
    r.set_registration_id(text_of(in, "registration_id"));
    r.set_generation(number_of<std::uint32_t>(in, "generation"));
    r.set_epoch(number_of<std::uint32_t>(in, "epoch"));
    r.set_lifetime_s(number_of<std::int64_t>(in, "lifetime_s"));
    r.set_lwm2m_version(text_of(in, "lwm2m_version"));
    r.set_binding(text_of(in, "binding"));
    r.set_queue_mode(bool_of(in, "queue_mode"));
    r.set_remote_address(text_of(in, "remote_address"));
    r.set_security_mode(text_of(in, "security_mode"));
    r.set_object_links(text_of(in, "object_links"));
    r.set_ingress_instance(text_of(in, "ingress_instance"));
    r.set_ingress_node(number_of<std::uint32_t>(in, "ingress_node"));
    r.set_ingress_shard(number_of<std::uint32_t>(in, "ingress_shard"));
    r.set_time_ms(number_of<std::int64_t>(in, "time_ms"));
}

void fill_registration(const EventText& text, LifecycleRecord& record) {
    const DeviceRecord& device = text.entry.device;
    record.set_registration_id(std::string(text.registration_id));
    record.set_generation(device.generation);
    record.set_epoch(device.epoch);
    record.set_lifetime_s(device.lifetime_s);
    record.set_lwm2m_version(device.registration.lwm2m_version);
    record.set_binding(device.registration.binding);
    record.set_queue_mode(device.queue_mode);
    record.set_remote_address(device.registration.remote_address);
    record.set_security_mode(device.registration.security_mode);
    record.set_object_links(device.registration.object_links);
    record.set_ingress_instance(std::string(text.instance));
    record.set_ingress_node(device.node);
    record.set_ingress_shard(device.shard);
}

LifecycleRecord to_lifecycle(const EventText& text) {
    const OutboxEntry& entry = text.entry;
    const DeviceRecord& device = entry.device;
    LifecycleRecord record;
    record.set_tenant(device.tenant);
    record.set_endpoint(device.endpoint);
    record.set_event(std::string(to_string(entry.event)));
    record.set_time_ms(entry.time_ms);
    record.set_event_id(std::string(text.event_id));
    record.set_device_number(device.number.value);
    if (device.generation != 0) fill_registration(text, record);
    record.mutable_labels()->insert(device.profile.labels.begin(), device.profile.labels.end());
    return record;
}

DeviceStateRecord to_device_state(const EventText& text) {
    const OutboxEntry& entry = text.entry;
    const DeviceRecord& device = entry.device;
    DeviceStateRecord record;
    record.set_tenant(device.tenant);
    record.set_endpoint(device.endpoint);
    record.set_state(std::string(state_of(device)));
    record.set_event(std::string(to_string(entry.event)));
    record.set_time_ms(entry.time_ms);
    record.set_event_id(std::string(text.event_id));
    record.set_display_name(device.profile.display_name);
    record.mutable_labels()->insert(device.profile.labels.begin(), device.profile.labels.end());
    record.set_enabled(device.enabled);
    record.set_create_ms(device.create_ms);
    record.set_device_number(device.number.value);
    if (device.registered) {
        fill_registration(text, *record.mutable_registration());
        record.mutable_registration()->set_time_ms(device.registration.register_ms);
    }
    return record;
}

}  // namespace

std::string_view to_string(LifecycleEvent event) {
    static constexpr std::string_view kNames[] = {"",        "registered", "updated", "deregistered",
                                                  "expired", "created",    "changed", "deleted"};
    return kNames[static_cast<std::size_t>(event)];
}

std::string event_id_of(const OutboxEntry& entry) {
    return std::to_string(entry.device.number.value) + "-" + std::to_string(entry.device.counter);
}

std::string_view state_of(const DeviceRecord& device) {
    if (device.registered) return "registered";
    return device.generation == 0 ? "provisioned" : "offline";
}

EventValues event_values(const OutboxEntry& entry, const SipKey& key, std::string_view instance, ValueFormat format) {
    const DeviceRecord& device = entry.device;
    std::string registration_id;
    if (device.generation != 0) {
        registration_id = identity::format_registration_id(key, {device.number, device.generation});
    }
    const std::string event_id = event_id_of(entry);
    const EventText text{entry, event_id, registration_id, instance};
    if (format == ValueFormat::json) return event_json(text);
    return {to_lifecycle(text).SerializeAsString(), to_device_state(text).SerializeAsString()};
}

Result<DeviceStateRecord> decode_device_state(std::string_view value, std::string_view type) {
    DeviceStateRecord record;
    if (type == kProtobufType) {
        if (record.ParseFromArray(value.data(), static_cast<int>(value.size()))) return record;
        return make_error(Errc::invalid_argument, "device-state value is not protobuf");
    }
    const json in = json::parse(value, nullptr, false);
    if (!in.is_object()) return make_error(Errc::invalid_argument, "device-state value is not a JSON object");
    record.set_tenant(text_of(in, "tenant"));
    record.set_endpoint(text_of(in, "endpoint"));
    record.set_state(text_of(in, "state"));
    record.set_event(text_of(in, "event"));
    record.set_time_ms(number_of<std::int64_t>(in, "time_ms"));
    record.set_event_id(text_of(in, "event_id"));
    record.set_display_name(text_of(in, "display_name"));
    read_labels(in, record);
    record.set_enabled(bool_of(in, "enabled"));
    record.set_create_ms(number_of<std::int64_t>(in, "create_ms"));
    record.set_device_number(number_of<std::uint32_t>(in, "device_number"));
    const auto registration = in.find("registration");
    if (registration != in.end() && registration->is_object()) {
        read_registration(*registration, *record.mutable_registration());
    }
    return record;
}

}  // namespace lanyard::registry
