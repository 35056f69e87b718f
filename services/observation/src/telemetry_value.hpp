#pragma once

#include <string>
#include <string_view>

#include "base/time.hpp"
#include "lwm2m/path.hpp"
#include "lwm2m/value.hpp"

namespace lanyard::events::v1 {
class TelemetryRecord;
}

namespace lanyard::observation {

// One value on its way to Kafka (lanyard.events.v1.TelemetryRecord), as views into what it is made of.
struct TelemetryValue {
    std::string_view tenant;
    std::string_view endpoint;
    lwm2m::Path path;  // a resource or resource instance
    std::string_view path_text;
    std::string_view object_name;  // empty: not known
    std::string_view resource_name;
    std::string_view unit;
    UnixMillis time_ms = 0;
    UnixMillis received_ms = 0;
    const lwm2m::Value* value = nullptr;
    std::string_view origin;
    std::string_view event_id;
    std::string_view sequence;
    bool fresh = true;
};

// "/3303/0/5700" at the end of `out`.
void append_path(std::string& out, const lwm2m::Path& path);

// The record as one JSON object at the end of `out`: names of the proto, numbers as JSON numbers (64-bit integers
// exact), unset and empty fields left out, zeros and false kept, bytes as base64. A float that is no number has no
// `value`; `value_string` says "NaN", "Infinity" or "-Infinity" instead. Bytes of strings that are not UTF-8 become
// U+FFFD.
void append_json(std::string& out, const TelemetryValue& value);

// The same fields as protobuf; `out` is cleared first.
void fill_record(events::v1::TelemetryRecord& out, const TelemetryValue& value);

}  // namespace lanyard::observation
