#pragma once

#include <string_view>

#include "base/bytes.hpp"
#include "base/error.hpp"

namespace lanyard::events::v1 {
class TelemetryRecord;
}
namespace lanyard::observation::v1 {
class LatestValue;
}

namespace lanyard::observation {

// Reads a telemetry record as JSON or, when `content_type` says application/protobuf, as protobuf.
// invalid_argument when it is neither.
[[nodiscard]] Result<void> read_telemetry(ByteView value, std::string_view content_type,
                                          events::v1::TelemetryRecord& out);

// The value of a record as the API shows it.
void fill_latest(const events::v1::TelemetryRecord& record, v1::LatestValue& out);

}  // namespace lanyard::observation
