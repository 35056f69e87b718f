#include "lifecycle_event.hpp"

#include <limits>

#include <nlohmann/json.hpp>

#include "lanyard/events/v1/lifecycle.pb.h"

namespace lanyard::observation {
namespace {

using events::v1::LifecycleRecord;
using nlohmann::json;

void read_text(const json& object, const char* name, std::string& out) {
    if (const auto at = object.find(name); at != object.end() && at->is_string()) out = at->get<std::string>();
}

void read_number(const json& object, const char* name, std::uint32_t& out) {
    const auto at = object.find(name);
    if (at == object.end() || !at->is_number_integer()) return;
    const auto value = at->get<std::int64_t>();
    if (value >= 0 && value <= std::numeric_limits<std::uint32_t>::max()) out = static_cast<std::uint32_t>(value);
}

Result<LifecycleEvent> checked(LifecycleEvent event, const OwnerHint& owner) {
    const DeviceInfo& device = event.device;
    if (event.event.empty() || device.tenant.empty() || device.endpoint.empty() || device.number.value == 0) {
        return make_error(Errc::invalid_argument, "event, tenant, endpoint or device_number is missing");
    }
    event.device.registered = event.event == "registered" || event.event == "updated";
    if (owner.node != 0) event.device.owner = owner;
    return event;
}

Result<LifecycleEvent> parse_json(ByteView value) {
    const json object = json::parse(value.begin(), value.end(), nullptr, false);
    if (!object.is_object()) return make_error(Errc::invalid_argument, "not a JSON object");
    LifecycleEvent out;
    OwnerHint owner;
    read_text(object, "event", out.event);
    read_text(object, "tenant", out.device.tenant);
    read_text(object, "endpoint", out.device.endpoint);
    read_text(object, "lwm2m_version", out.device.lwm2m_version);
    read_text(object, "object_links", out.device.object_links);
    read_number(object, "device_number", out.device.number.value);
    read_number(object, "generation", out.device.generation);
    read_number(object, "epoch", owner.epoch);
    read_number(object, "ingress_node", owner.node);
    read_number(object, "ingress_shard", owner.shard);
    if (const auto labels = object.find("labels"); labels != object.end() && labels->is_object()) {
        for (const auto& [name, label] : labels->items()) {
            if (label.is_string()) out.device.labels.emplace(name, label.get<std::string>());
        }
    }
    return checked(std::move(out), owner);
}

Result<LifecycleEvent> parse_protobuf(ByteView value) {
    LifecycleRecord record;
    if (!record.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
        return make_error(Errc::invalid_argument, "not a LifecycleRecord");
    }
    LifecycleEvent out;
    out.event = record.event();
    out.device.number.value = record.device_number();
    out.device.tenant = record.tenant();
    out.device.endpoint = record.endpoint();
    out.device.generation = record.generation();
    out.device.lwm2m_version = record.lwm2m_version();
    out.device.object_links = record.object_links();
    out.device.labels.insert(record.labels().begin(), record.labels().end());
    return checked(std::move(out), {record.ingress_node(), record.ingress_shard(), record.epoch()});
}

}  // namespace

Result<LifecycleEvent> parse_lifecycle(ByteView value, std::string_view content_type) {
    return content_type == "application/protobuf" ? parse_protobuf(value) : parse_json(value);
}

}  // namespace lanyard::observation
