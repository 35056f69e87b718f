#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/error.hpp"
#include "coap_ingress/config.hpp"
#include "kafka/producer.hpp"
#include "metrics.hpp"
#include "ports.hpp"
#include "runtime/deadline.hpp"
#include "runtime/health.hpp"
#include "runtime/mailbox.hpp"
#include "runtime/poller.hpp"
#include "runtime/thread.hpp"
#include "session_stage.hpp"
#include "shard_core.hpp"
#include "transmit_queue.hpp"

namespace lanyard::coap_ingress {

// What the registry tells one shard, in one message.
struct RegistryNews {
    std::vector<internal::v1::RegistrationResult> results;
    std::vector<internal::v1::Fenced> fenced;
};

// A downlink call on its way through the shards: one that does not hold the device passes it on.
struct RoutedCall {
    DownlinkCall call;
    unsigned shards_left = 0;
};

class Shard;

struct ShardOptions {
    const Config& config;
    SipKey key{};
    std::uint32_t index = 0;
    std::uint64_t seed = 0;
    const telemetry::Logger& log;
    RegistryPort& registry;
    runtime::HealthBoard::Dependency kafka;  // reported by shard 0
    telemetry::MetricRegistry& metrics;
};

// One thread with everything a device's messages need: a socket for each listener, CoAP, registrations, a Kafka
// producer. Nothing is shared per datagram; other threads reach it through two mailboxes.
class Shard final : private Transmitter, private UplinkSink, private DatagramSink, private kafka::DeliverySink {
  public:
    explicit Shard(const ShardOptions& options);
    ~Shard() override;

    // Binds one socket for each address. Before start(). Ports of 0 are replaced by those taken.
    [[nodiscard]] Result<void> bind(std::vector<Address>& addresses);
    // Makes the producer and starts the thread. `shards` are all of the process, this one included.
    [[nodiscard]] Result<void> start(std::span<const std::unique_ptr<Shard>> shards);

    // From any thread. False when the mailbox is full, the message is untouched then.
    [[nodiscard]] bool post(RegistryNews&& news) { return news_.push(std::move(news)); }
    [[nodiscard]] bool post(RoutedCall&& call) { return calls_.push(std::move(call)); }

    // The thread goes on until nothing is pending or the deadline is near, flushes Kafka, ends.
    void begin_drain(runtime::Deadline deadline);
    // False when it did not end in time.
    [[nodiscard]] bool join(runtime::Deadline deadline) { return thread_.join(deadline); }

    [[nodiscard]] ShardMetrics& metrics() { return metrics_; }

  private:
    struct Socket {
        runtime::UdpSocket udp;
        TransmitQueue queue;
        bool waits_writable = false;
    };

    [[nodiscard]] Result<void> make_producer();
    void run();
    void run_once();
    void read_socket(std::size_t index);
    void read_mailboxes();
    void handle_call(RoutedCall& routed);
    void flush_sockets();
    void check_kafka();
    [[nodiscard]] bool finished() const;

    void transmit(const coap::PeerId& peer, ByteView message) override;
    bool produce(const UplinkMessage& message) override;
    void send(const coap::PeerId& to, ByteView datagram) override;
    void on_delivered(const kafka::Delivery& delivery) override;

    ShardOptions options_;
    ShardMetrics metrics_;
    runtime::Wakeup wakeup_;
    runtime::Mailbox<RegistryNews> news_;
    runtime::Mailbox<RoutedCall> calls_;
    std::vector<RegistryNews> news_batch_;
    std::vector<RoutedCall> call_batch_;
    runtime::Poller poller_;
    std::vector<Socket> sockets_;
    PlainStage stage_;
    std::unique_ptr<kafka::Producer> producer_;
    kafka::Topic topic_;
    std::unique_ptr<ShardCore> core_;
    std::span<const std::unique_ptr<Shard>> shards_;
    Now now_;
    SteadyTime next_kafka_check_;
    // Steady time in ticks at which the drain must be over; 0 while serving.
    std::atomic<std::int64_t> drain_until_{0};
    bool draining_ = false;
    SteadyTime drain_began_;
    runtime::Thread thread_;
};

}  // namespace lanyard::coap_ingress
