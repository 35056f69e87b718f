#pragma once

#include <string>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "observation/downlink.hpp"

namespace lanyard::observation {

// One record of the lifecycle topic, as far as it matters here.
struct LifecycleEvent {
    std::string event;  // registered, updated, ...
    DeviceInfo device;  // `registered` says whether the event leaves it registered
};

// Reads a LifecycleRecord, JSON when it begins with '{', else protobuf, where that byte would open a group, which
// LifecycleRecord has not: so the record's ten headers need not be taken apart. invalid_argument when it is neither, or
// without tenant, endpoint, event or device number.
[[nodiscard]] Result<LifecycleEvent> parse_lifecycle(ByteView value);

}  // namespace lanyard::observation
