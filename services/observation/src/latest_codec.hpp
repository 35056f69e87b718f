#pragma once

#include <string>

#include "base/time.hpp"
#include "lwm2m/value.hpp"
#include "observation/types.hpp"

namespace lanyard::events::v1 {
class TelemetryRecord;
}

namespace lanyard::observation {

// LatestValue::record: a StoredLatestValue, which holds nothing that path and time say already.
[[nodiscard]] std::string encode_latest_record(const lwm2m::Value& value, UnixMillis time_ms, UnixMillis received_ms,
                                               bool send);
// Path, times, type, value and origin; false for bytes that are no record.
[[nodiscard]] bool read_latest(const LatestValue& value, events::v1::TelemetryRecord& out);

}  // namespace lanyard::observation
