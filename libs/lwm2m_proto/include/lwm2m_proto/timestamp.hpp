#pragma once

#include <cstdint>

#include <google/protobuf/timestamp.pb.h>

#include "base/error.hpp"
#include "base/time.hpp"

namespace lanyard::lwm2m_proto {

// A Timestamp holds the years 1 to 9999. A device may name any time as that of a measurement: others are clamped.
[[nodiscard]] google::protobuf::Timestamp to_timestamp(UnixMillis time);
// The same for whole seconds, as a resource of type Time has them.
[[nodiscard]] google::protobuf::Timestamp seconds_to_timestamp(std::int64_t seconds);

// Towards the earlier millisecond. invalid_argument: not a time of the years 1 to 9999.
[[nodiscard]] Result<UnixMillis> to_unix_millis(const google::protobuf::Timestamp& time);

}  // namespace lanyard::lwm2m_proto
