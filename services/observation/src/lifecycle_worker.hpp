#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "kafka/consumer.hpp"
#include "lifecycle_event.hpp"
#include "metrics.hpp"
#include "observation/config.hpp"
#include "partitions.hpp"
#include "runtime/deadline.hpp"
#include "runtime/thread.hpp"
#include "telemetry/log.hpp"
#include "telemetry/rate_limit.hpp"
#include "ticket_box.hpp"

namespace lanyard::observation {

// The thread that reads lifecycle events and commits an offset only when the work for all events before it is done.
// Events that cannot be read are logged, counted and passed over: they are not data of devices.
class LifecycleWorker final : private kafka::ConsumerEvents {
  public:
    // Takes one event, on the worker's thread; calls `done` once from any thread when its work is finished.
    using Handler = std::function<void(LifecycleEvent event, std::function<void()> done)>;

    LifecycleWorker(const Config& config, Metrics& metrics, const telemetry::Logger& log, Handler handler);
    ~LifecycleWorker() override;

    [[nodiscard]] Result<void> start();
    // The topics are there and templates are loaded.
    void begin() { begun_ = true; }
    // Stops reading and commits what is done. What is not done is read again by whoever gets the partition.
    bool stop(runtime::Deadline deadline);

  private:
    void on_assigned(std::span<const kafka::TopicOffset> partitions) override;
    void on_revoked(std::span<const kafka::TopicOffset> partitions) override;
    void on_lost(std::span<const kafka::TopicOffset> partitions) override;
    void on_committed(std::span<const kafka::TopicOffset> offsets, const Result<void>& result) override;
    void on_error(const Error& error, const kafka::TopicOffset* partition) override;

    void run();
    void read();
    void process(const kafka::MessageView& message);
    void take_done();

    const Config& config_;
    Metrics& metrics_;
    const telemetry::Logger& log_;
    Handler handler_;
    std::unique_ptr<kafka::Consumer> consumer_;
    kafka::MessageBatch batch_;
    Partitions partitions_;
    telemetry::RateLimit log_limit_{std::chrono::seconds(10)};
    // Shared with the callbacks, which may come after the worker is gone.
    std::shared_ptr<TicketBox> done_;
    std::vector<Partitions::Ticket> taken_;
    runtime::Thread thread_;
    std::atomic<bool> begun_{false};
    std::atomic<bool> stopping_{false};
    SteadyTime next_commit_;
};

}  // namespace lanyard::observation
