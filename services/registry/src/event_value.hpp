#pragma once

#include <string>
#include <string_view>

#include "base/hash.hpp"
#include "registry/config.hpp"
#include "registry/device_record.hpp"

namespace lanyard::events::v1 {
class DeviceStateRecord;
class LifecycleRecord;
}  // namespace lanyard::events::v1

namespace lanyard::registry {

// "registered", "expired", ...
[[nodiscard]] std::string_view to_string(LifecycleEvent event);
// "{device number}-{event counter}": the same for each publication of one event.
[[nodiscard]] std::string event_id_of(const OutboxEntry& entry);

// "registered", "offline", or "provisioned" before the first Register.
[[nodiscard]] std::string_view state_of(const DeviceRecord& device);

// The Kafka values of an event: JSON with the proto's field names, numbers as numbers, unset fields left out; or
// protobuf.
struct EventValues {
    std::string lifecycle;
    std::string device_state;
};
// `instance` is the name of the device's ingress node.
[[nodiscard]] EventValues event_values(const OutboxEntry& entry, const SipKey& key, std::string_view instance,
                                       ValueFormat format);
// Reads either form. invalid_argument.
[[nodiscard]] Result<events::v1::DeviceStateRecord> decode_device_state(std::string_view value, std::string_view type);

inline constexpr std::string_view kJsonType = "application/json";
inline constexpr std::string_view kProtobufType = "application/protobuf";

}  // namespace lanyard::registry
