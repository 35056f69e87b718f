#include "lwm2m_proto/timestamp.hpp"

#include <algorithm>

namespace lanyard::lwm2m_proto {
namespace {

// 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z (google/protobuf/timestamp.proto).
constexpr std::int64_t kFirstSecond = -62135596800;
constexpr std::int64_t kLastSecond = 253402300799;
constexpr std::int32_t kNanosPerMilli = 1'000'000;
constexpr std::int32_t kNanosPerSecond = 1'000'000'000;

}  // namespace

google::protobuf::Timestamp to_timestamp(UnixMillis time) {
    const UnixMillis clamped = std::clamp<UnixMillis>(time, kFirstSecond * 1000, kLastSecond * 1000 + 999);
    const UnixMillis millis = (clamped % 1000 + 1000) % 1000;  // nanos count forward, also before the epoch
    google::protobuf::Timestamp out;
    out.set_seconds((clamped - millis) / 1000);
    out.set_nanos(static_cast<std::int32_t>(millis) * kNanosPerMilli);
    return out;
}

google::protobuf::Timestamp seconds_to_timestamp(std::int64_t seconds) {
    google::protobuf::Timestamp out;
    out.set_seconds(std::clamp(seconds, kFirstSecond, kLastSecond));
    return out;
}

Result<UnixMillis> to_unix_millis(const google::protobuf::Timestamp& time) {
    const bool valid = time.seconds() >= kFirstSecond && time.seconds() <= kLastSecond && time.nanos() >= 0 &&
                       time.nanos() < kNanosPerSecond;
    if (!valid) return make_error(Errc::invalid_argument, "not a time of the years 1 to 9999");
    return time.seconds() * 1000 + time.nanos() / kNanosPerMilli;
}

}  // namespace lanyard::lwm2m_proto
