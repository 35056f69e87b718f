#include "lifecycle_event.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include <simdjson.h>

#include "lanyard/events/v1/lifecycle.pb.h"

namespace lanyard::observation {
namespace {

using events::v1::LifecycleRecord;

Result<LifecycleEvent> checked(LifecycleEvent event, const OwnerHint& owner) {
    const DeviceInfo& device = event.device;
    if (event.event.empty() || device.tenant.empty() || device.endpoint.empty() || device.number.value == 0) {
        return make_error(Errc::invalid_argument, "event, tenant, endpoint or device_number is missing");
    }
    event.device.registered = event.event == "registered" || event.event == "updated";
    if (owner.node != 0) event.device.owner = owner;
    return event;
}

namespace ondemand = simdjson::ondemand;

// The fields that matter, and where they go. Those of other types than expected are passed over.
class EventReader {
  public:
    EventReader(LifecycleEvent& event, OwnerHint& owner)
        : device_(event.device),
          texts_{{{"event", &event.event},
                  {"tenant", &event.device.tenant},
                  {"endpoint", &event.device.endpoint},
                  {"lwm2m_version", &event.device.lwm2m_version},
                  {"object_links", &event.device.object_links}}},
          numbers_{{{"device_number", &event.device.number.value},
                    {"generation", &event.device.generation},
                    {"epoch", &owner.epoch},
                    {"ingress_node", &owner.node},
                    {"ingress_shard", &owner.shard}}} {}

    // False when the text is not a JSON object.
    [[nodiscard]] bool read(ByteView text) {
        // What a parser has grown to is kept for the next event of the thread.
        thread_local ondemand::parser parser;
        const simdjson::padded_string padded(as_text(text));
        ondemand::document document;
        ondemand::object object;
        if (parser.iterate(padded).get(document) || document.get_object().get(object)) return false;
        for (auto entry : object) {
            ondemand::field field;
            std::string_view name;
            if (std::move(entry).get(field) || field.unescaped_key().get(name)) return false;
            if (!take(name, field.value())) return false;
        }
        return document.current_location().error() == simdjson::OUT_OF_BOUNDS;  // nothing follows
    }

  private:
    // False when the value is not JSON.
    bool take(std::string_view name, ondemand::value& value) {
        if (name == "labels") return labels(value);
        const auto text = std::find_if(texts_.begin(), texts_.end(), [&](const auto& at) { return at.first == name; });
        if (text != texts_.end()) {
            std::string_view found;
            if (!value.get_string().get(found)) *text->second = found;
        }
        const auto number =
            std::find_if(numbers_.begin(), numbers_.end(), [&](const auto& at) { return at.first == name; });
        if (number != numbers_.end()) {
            std::uint64_t found = 0;
            const bool fits = !value.get_uint64().get(found) && found <= std::numeric_limits<std::uint32_t>::max();
            if (fits) *number->second = static_cast<std::uint32_t>(found);
        }
        return true;
    }

    bool labels(ondemand::value& value) {
        ondemand::object object;
        if (value.get_object().get(object)) return true;
        for (auto entry : object) {
            ondemand::field field;
            std::string_view name;
            std::string_view text;
            if (std::move(entry).get(field) || field.unescaped_key().get(name)) return false;
            const std::string key(name);
            if (!field.value().get_string().get(text)) device_.labels.emplace(key, text);
        }
        return true;
    }

    DeviceInfo& device_;
    std::array<std::pair<std::string_view, std::string*>, 5> texts_;
    std::array<std::pair<std::string_view, std::uint32_t*>, 5> numbers_;
};

Result<LifecycleEvent> parse_json(ByteView value) {
    LifecycleEvent out;
    OwnerHint owner;
    if (!EventReader(out, owner).read(value)) return make_error(Errc::invalid_argument, "not a JSON object");
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

Result<LifecycleEvent> parse_lifecycle(ByteView value) {
    return as_text(value).starts_with('{') ? parse_json(value) : parse_protobuf(value);
}

}  // namespace lanyard::observation
