#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "base/error.hpp"
#include "kafka/consumer.hpp"
#include "runtime/thread.hpp"

namespace lanyard::cli {

// Reads a topic as any consumer of the platform would, and counts: what `lanyard dev` shows as records in Kafka was
// really read back from there.
class RecordCounter final : kafka::ConsumerEvents {
  public:
    [[nodiscard]] static Result<std::unique_ptr<RecordCounter>> start(const std::string& bootstrap,
                                                                      const std::string& topic);
    ~RecordCounter() override;

    [[nodiscard]] std::uint64_t count() const { return count_.load(std::memory_order_relaxed); }
    // The value of the newest record, as it stands in Kafka; empty before the first.
    [[nodiscard]] std::string last() const;

  private:
    RecordCounter() = default;
    void read();

    std::unique_ptr<kafka::Consumer> consumer_;
    std::atomic<std::uint64_t> count_{0};
    std::atomic<bool> stopping_{false};
    mutable std::mutex mutex_;
    std::string last_;
    runtime::Thread thread_;
};

}  // namespace lanyard::cli
