#pragma once

#include <optional>
#include <vector>

#include "base/time.hpp"
#include "lwm2m/path.hpp"
#include "lwm2m/value.hpp"

namespace lanyard::lwm2m {

// One value at one place: the canonical decoded form of every payload format is a flat list of these, in the
// order of the payload. The path is that of a resource or resource instance; in a Read-Composite request, where
// the value is none, it may be anything.
struct Record {
    Path path{};
    Value value{};
    // When the device measured it, if the payload said so: absolute, milliseconds since the Unix epoch.
    std::optional<UnixMillis> time{};

    friend bool operator==(const Record&, const Record&) = default;
};

using Records = std::vector<Record>;

}  // namespace lanyard::lwm2m
