#pragma once

#include <atomic>
#include <memory>

#include <grpcpp/support/status.h>

#include "kafka/consumer.hpp"
#include "metrics.hpp"
#include "value_streams.hpp"

namespace lanyard::observation {

// One StreamValues call: reads the telemetry topic from a position and writes what the client wants. run() is the body
// of a thread.
class ValueStream final : private kafka::ConsumerEvents {
  public:
    ValueStream(const Config& config, const SipKey& key, StreamRequest request, std::shared_ptr<StreamWriter> writer,
                Metrics& metrics);
    void run();

  private:
    void on_error(const Error& error, const kafka::TopicOffset* partition) override;

    [[nodiscard]] grpc::Status serve();
    [[nodiscard]] Result<void> seek();
    [[nodiscard]] bool wanted(const kafka::MessageView& message) const;
    [[nodiscard]] bool fill(const kafka::MessageView& message, v1::StreamValuesResponse& out) const;
    [[nodiscard]] StreamWriter::Push bookmark();

    const Config& config_;
    const SipKey& key_;
    StreamRequest request_;
    std::shared_ptr<StreamWriter> writer_;
    Metrics& metrics_;
    std::string device_key_;
    std::unique_ptr<kafka::Consumer> consumer_;
    StreamPosition position_;
    bool gone_ = false;
};

}  // namespace lanyard::observation
