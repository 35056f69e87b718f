#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "base/hash.hpp"
#include "event_publisher.hpp"
#include "kafka/producer.hpp"
#include "node_names.hpp"
#include "registry/config.hpp"
#include "registry/executor.hpp"
#include "runtime/health.hpp"
#include "runtime/thread.hpp"
#include "telemetry/log.hpp"

namespace lanyard::registry {

// Publishes every event as a lifecycle record and a device-state record (a tombstone when the device is deleted),
// with CloudEvents headers (Kafka protocol binding 1.0, binary mode). A thread of its own prepares the topics, waits
// for delivery reports and replaces a producer that has failed for good.
class KafkaEventPublisher final : public EventPublisher, private kafka::DeliverySink {
  public:
    // Told on the publisher's thread how Kafka is, with the reason when it is not ok: down until the topics were there
    // once, degraded in an outage after that.
    using StateCallback = std::function<void(runtime::HealthState state, const std::string& reason)>;

    // invalid_argument for a bad Kafka configuration.
    [[nodiscard]] static Result<std::unique_ptr<KafkaEventPublisher>> start(const Config& config, const SipKey& key,
                                                                            NodeNames& nodes, Executor executor,
                                                                            const telemetry::Logger& log,
                                                                            StateCallback on_state);
    // Drops what is not delivered.
    ~KafkaEventPublisher() override;

    void publish(std::vector<OutboxEntry> entries, Done<void> done) override;

  private:
    struct Batch {
        std::size_t open = 0;
        Result<void> result;
        Done<void> done;
    };

    KafkaEventPublisher(const Config& config, const SipKey& key, NodeNames& nodes, Executor executor,
                        const telemetry::Logger& log, StateCallback on_state);
    void run();
    bool prepare_topics();
    void replace_producer();
    // The names of the nodes are known.
    void publish_named(const std::vector<OutboxEntry>& entries, Done<void> done);
    [[nodiscard]] Result<void> open_producer();
    void on_delivered(const kafka::Delivery& delivery) override;
    // One record of a batch is settled.
    void settle(std::uint64_t batch, const Result<void>& result);
    void settle_one(std::uint64_t batch, const Result<void>& result);
    void produce(const OutboxEntry& entry, std::uint64_t batch);

    const Config config_;
    const SipKey key_;
    NodeNames& nodes_;
    const Executor executor_;
    const telemetry::Logger& log_;
    const StateCallback on_state_;
    std::atomic<bool> stop_{false};
    std::atomic<bool> usable_{false};
    std::mutex mutex_;  // producer_ and batches_
    std::unique_ptr<kafka::Producer> producer_;
    kafka::Topic lifecycle_;
    kafka::Topic device_state_;
    std::unordered_map<std::uint64_t, Batch> batches_;
    std::uint64_t last_batch_ = 0;
    runtime::Thread thread_;
};

}  // namespace lanyard::registry
