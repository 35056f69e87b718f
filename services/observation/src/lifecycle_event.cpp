#include "lifecycle_event.hpp"

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

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

// Takes the fields that matter out of the text as it is read, without building a tree of it. Fields of other types
// than expected are passed over.
class EventReader {
  public:
    explicit EventReader(LifecycleEvent& event, OwnerHint& owner)
        : event_(event),
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

    // What nlohmann::json::sax_parse calls; false stops it.
    bool start_object(std::size_t) { return enter(true); }
    bool start_array(std::size_t) { return enter(false); }
    bool end_object() { return leave(); }
    bool end_array() { return leave(); }
    bool key(std::string& name) {
        if (depth_ == 1) {
            name_ = std::move(name);
        } else if (in_labels()) {
            label_ = std::move(name);
        }
        return true;
    }
    bool string(std::string& text) {
        if (in_labels()) event_.device.labels.emplace(label_, std::move(text));
        if (depth_ != 1) return true;
        for (const auto& [name, target] : texts_) {
            if (name == name_) *target = std::move(text);
        }
        return true;
    }
    bool number_unsigned(std::uint64_t number) {
        if (depth_ != 1 || number > std::numeric_limits<std::uint32_t>::max()) return true;
        for (const auto& [name, target] : numbers_) {
            if (name == name_) *target = static_cast<std::uint32_t>(number);
        }
        return true;
    }
    bool number_integer(std::int64_t) { return true; }  // negative
    bool number_float(double, const std::string&) { return true; }
    bool boolean(bool) { return true; }
    bool null() { return true; }
    bool binary(std::vector<std::uint8_t>&) { return true; }
    bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception&) { return false; }

  private:
    [[nodiscard]] bool in_labels() const { return depth_ == 2 && labels_; }
    bool enter(bool object) {
        if (depth_ == 0 && !object) return false;
        if (depth_ == 1) labels_ = object && name_ == "labels";
        ++depth_;
        return depth_ <= kDepthMax;
    }
    bool leave() {
        --depth_;
        return true;
    }

    static constexpr int kDepthMax = 64;

    LifecycleEvent& event_;
    std::array<std::pair<std::string_view, std::string*>, 5> texts_;
    std::array<std::pair<std::string_view, std::uint32_t*>, 5> numbers_;
    std::string name_;   // of the field at depth 1
    std::string label_;  // within labels
    int depth_ = 0;
    bool labels_ = false;
};

Result<LifecycleEvent> parse_json(ByteView value) {
    LifecycleEvent out;
    OwnerHint owner;
    EventReader reader(out, owner);
    if (value.empty() || !nlohmann::json::sax_parse(value.begin(), value.end(), &reader)) {
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
