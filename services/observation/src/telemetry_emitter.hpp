#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "kafka/cloud_event.hpp"
#include "kafka/record.hpp"
#include "lwm2m/record.hpp"
#include "observation/config.hpp"
#include "uplink_decoder.hpp"

namespace lanyard::events::v1 {
class UplinkRecord;
class TelemetryRecord;
}  // namespace lanyard::events::v1

namespace lanyard::observation {

enum class Target : std::uint8_t { telemetry, dead_letter };

// Takes records to be produced. `record.topic` is not set: the target says it. An error is final for the record:
// too_large, or internal when nothing can be produced any more.
class Output {
  public:
    virtual ~Output() = default;
    [[nodiscard]] virtual Result<void> produce(Target target, const kafka::Record& record) = 0;
};

// Where an uplink record was read, for dead letters.
struct Origin {
    std::string_view topic;
    std::int32_t partition = 0;
    std::int64_t offset = 0;
    UnixMillis timestamp_ms = 0;
    std::string_view key;
    ByteView bytes;
};

// Writes decoded values as telemetry records and rejected records as dead letters, with their headers. Keeps its
// buffers from record to record. Not thread-safe.
class TelemetryEmitter {
  public:
    TelemetryEmitter(TelemetryFormat format, Output& output);
    ~TelemetryEmitter();

    // One telemetry record per value, in order; stops at the first error. Every record carries `opaque`.
    [[nodiscard]] Result<void> values(const events::v1::UplinkRecord& uplink, const lwm2m::Records& records, bool fresh,
                                      std::uint64_t opaque);
    // The original bytes with the reason in headers. `event_id` is empty when the record cannot be read.
    [[nodiscard]] Result<void> dead_letter(const Origin& origin, const Rejection& why, std::string_view event_id,
                                           std::string_view content_format, std::uint64_t opaque);

  private:
    [[nodiscard]] Result<void> value(const events::v1::UplinkRecord& uplink, const lwm2m::Record& record,
                                     std::size_t index, bool fresh, std::uint64_t opaque);
    void start(const events::v1::UplinkRecord& uplink);

    TelemetryFormat format_;
    Output& output_;
    kafka::EventHeaders headers_;
    std::unique_ptr<events::v1::TelemetryRecord> message_;
    std::string key_;
    std::string source_;
    std::string sequence_;
    std::string path_;
    std::string id_;
    std::string time_;
    std::string body_;
};

}  // namespace lanyard::observation
