#pragma once

#include <string>
#include <string_view>

#include "registry/device_record.hpp"

namespace lanyard::registry {

// What the two JSON values of an event have in common (proto/lanyard/events/v1/lifecycle.proto).
struct EventText {
    const OutboxEntry& entry;
    std::string_view event_id;
    std::string_view registration_id;  // empty when the device never registered
    std::string_view instance;         // of its ingress node
};

// Values with the proto's field names, numbers as numbers, unset fields left out.
[[nodiscard]] std::string lifecycle_json(const EventText& text);
[[nodiscard]] std::string device_state_json(const EventText& text);

}  // namespace lanyard::registry
