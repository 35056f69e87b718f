#pragma once

#include <string>

#include "base/hash.hpp"
#include "base/time.hpp"
#include "filter/filter.hpp"
#include "lanyard/registry/v1/device.pb.h"
#include "registry/device_record.hpp"

namespace lanyard::events::v1 {
class DeviceStateRecord;
}

namespace lanyard::registry {

class NodeNames;

// What a view needs beside the record.
struct ViewContext {
    SipKey key{};
    Duration awake_window = std::chrono::seconds(93);
    UnixMillis now_ms = 0;
    const NodeNames* nodes = nullptr;  // without it a DeviceRecord's ingress_instance stays empty
};

// The public form of a stored device, whose node is prepared in `context.nodes`.
[[nodiscard]] v1::Device to_device(const DeviceRecord& record, const ViewContext& context);
// The public form of a record of the device-state topic. Knows no last-seen time: a queue-mode device counts as
// awake since the event.
[[nodiscard]] v1::Device to_device(const events::v1::DeviceStateRecord& record, const ViewContext& context);

[[nodiscard]] std::string etag_of(std::uint32_t revision);
// invalid_argument.
[[nodiscard]] Result<std::uint32_t> parse_etag(const std::string& etag);

// display_name, labels: the limits of device.proto.
[[nodiscard]] Result<void> check_display_name(const std::string& name);
[[nodiscard]] Result<void> check_labels(const google::protobuf::Map<std::string, std::string>& labels);

// The filter of ListDevices and WatchDevices: endpoint, display_name, state, enabled, labels.*.
[[nodiscard]] Result<filter::Filter> parse_device_filter(const std::string& text);
[[nodiscard]] bool matches(const filter::Filter& filter, const v1::Device& device);

}  // namespace lanyard::registry
