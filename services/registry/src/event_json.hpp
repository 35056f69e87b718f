#pragma once

#include <string_view>

#include "event_value.hpp"
#include "registry/device_record.hpp"

namespace lanyard::registry {

// What the two JSON values of an event have in common (proto/lanyard/events/v1/lifecycle.proto).
struct EventText {
    const OutboxEntry& entry;
    std::string_view event_id;
    std::string_view registration_id;  // empty when the device never registered
    std::string_view instance;         // of its ingress node
};

// Both values, with the proto's field names, numbers as numbers, unset fields left out. What the device registered with
// stands in both and is written once.
[[nodiscard]] EventValues event_json(const EventText& text);

}  // namespace lanyard::registry
