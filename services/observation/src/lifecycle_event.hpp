#pragma once

#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "observation/downlink.hpp"

namespace lanyard::observation {

// One record of the lifecycle topic, as far as it matters here.
struct LifecycleEvent {
    std::string event;  // registered, updated, ...
    DeviceInfo device;  // `registered` says whether the event leaves it registered
};

// Reads a LifecycleRecord as JSON or, when `content_type` says application/protobuf, as protobuf. invalid_argument when
// it is neither, or without tenant, endpoint, event or device number.
[[nodiscard]] Result<LifecycleEvent> parse_lifecycle(ByteView value, std::string_view content_type);

}  // namespace lanyard::observation
