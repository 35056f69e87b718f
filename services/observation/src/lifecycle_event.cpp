#include "lifecycle_event.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "base/json_reader.hpp"
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

    [[nodiscard]] bool read(std::string_view text) {
        JsonReader in(text);
        std::string name;
        for (in.open_object(); in.next_member(name);) {
            if (name == "labels" && in.at_object()) {
                labels(in);
            } else if (in.at_string()) {
                string(in, name);
            } else {
                number(in, name);
            }
        }
        return in.finish();
    }

  private:
    void labels(JsonReader& in) {
        std::string name;
        std::string value;
        for (in.open_object(); in.next_member(name);) {
            if (!in.at_string()) {
                in.skip();
                continue;
            }
            in.read_string(value);
            device_.labels.emplace(name, value);
        }
    }
    void string(JsonReader& in, std::string_view name) {
        const auto found =
            std::find_if(texts_.begin(), texts_.end(), [&](const auto& field) { return field.first == name; });
        if (found != texts_.end()) return in.read_string(*found->second);
        in.skip();
    }
    void number(JsonReader& in, std::string_view name) {
        const auto value = in.read_unsigned();
        if (!value || *value > std::numeric_limits<std::uint32_t>::max()) return;
        for (const auto& [field, target] : numbers_) {
            if (field == name) *target = static_cast<std::uint32_t>(*value);
        }
    }

    DeviceInfo& device_;
    std::array<std::pair<std::string_view, std::string*>, 5> texts_;
    std::array<std::pair<std::string_view, std::uint32_t*>, 5> numbers_;
};

Result<LifecycleEvent> parse_json(ByteView value) {
    LifecycleEvent out;
    OwnerHint owner;
    if (!EventReader(out, owner).read(as_text(value))) {
        return make_error(Errc::invalid_argument, "not a JSON object");
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
