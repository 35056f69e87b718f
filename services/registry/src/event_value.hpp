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

// `instance` is the name of the device's ingress node.
[[nodiscard]] events::v1::LifecycleRecord to_lifecycle(const OutboxEntry& entry, const SipKey& key,
                                                       std::string_view instance);
[[nodiscard]] events::v1::DeviceStateRecord to_device_state(const OutboxEntry& entry, const SipKey& key,
                                                            std::string_view instance);

// Kafka values: JSON with the proto's field names, numbers as numbers, unset fields left out; or protobuf.
[[nodiscard]] std::string encode(const events::v1::LifecycleRecord& record, ValueFormat format);
[[nodiscard]] std::string encode(const events::v1::DeviceStateRecord& record, ValueFormat format);
// Reads either form. invalid_argument.
[[nodiscard]] Result<events::v1::DeviceStateRecord> decode_device_state(std::string_view value, std::string_view type);

inline constexpr std::string_view kJsonType = "application/json";
inline constexpr std::string_view kProtobufType = "application/protobuf";

}  // namespace lanyard::registry
