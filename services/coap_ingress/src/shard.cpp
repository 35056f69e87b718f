#include "shard.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "runtime/clock.hpp"

namespace lanyard::coap_ingress {
namespace {

using namespace std::chrono_literals;

constexpr runtime::Poller::Tag kWakeupTag = 1U << 16;
constexpr runtime::Poller::Tag kKafkaTag = kWakeupTag + 1;
// Batches read from one socket before the others get their turn.
constexpr int kBatchesPerTurn = 4;
// Kept of the drain's time for Kafka's flush.
constexpr Duration kFlushTime = 2s;
// How long a drain waits for devices that were asked something.
constexpr Duration kDownlinkTime = 3s;

// Results are bounded by what the shard asked for, so this is never reached by them; it bounds fencing.
std::size_t news_capacity(const Config& config) {
    return 2 * config.registry.pending_max + 4096;
}

}  // namespace

Shard::Shard(const ShardOptions& options)
    : options_(options),
      news_(news_capacity(options.config), wakeup_),
      calls_(options.config.downlink.pending_max, wakeup_) {}

Shard::~Shard() {
    if (thread_.joinable()) begin_drain(runtime::Deadline::in(Duration::zero()));
}

Result<void> Shard::bind(std::vector<Address>& addresses) {
    for (Address& address : addresses) {
        runtime::UdpOptions udp;
        udp.receive_buffer_bytes = udp.send_buffer_bytes = options_.config.socket_buffer;
        auto socket = runtime::UdpSocket::bind(address, udp);
        if (!socket) return socket.error();
        address = socket->local();
        sockets_.push_back({std::move(*socket), {}, false});
    }
    return {};
}

Result<void> Shard::make_producer() {
    auto config = producer_config_of(options_.config);
    config.metrics = &options_.metrics;
    auto producer = kafka::Producer::create(config);
    if (!producer) return producer.error();
    auto topic = (*producer)->topic(options_.config.uplink.topic);
    if (!topic) return topic.error();
    producer_ = std::move(*producer);
    topic_ = *topic;
    poller_.add(producer_->event_fd(), kKafkaTag);
    return {};
}

Result<void> Shard::start(std::span<const std::unique_ptr<Shard>> shards) {
    shards_ = shards;
    if (auto made = make_producer(); !made) return made;
    now_ = runtime::now();
    core_ = std::make_unique<ShardCore>(ShardSetup{options_.config, options_.key, options_.index, options_.seed,
                                                   options_.log, metrics_, *this, *this, options_.registry},
                                        now_);
    poller_.add(wakeup_.fd(), kWakeupTag);
    for (std::size_t i = 0; i < sockets_.size(); ++i) poller_.add(sockets_[i].udp.fd(), i);
    thread_ = runtime::Thread("coap-" + std::to_string(options_.index), [this] { run(); });
    return {};
}

void Shard::begin_drain(runtime::Deadline deadline) {
    const auto ticks = std::max<std::int64_t>(1, deadline.when().time_since_epoch().count());
    drain_until_.store(ticks, std::memory_order_release);
    wakeup_.notify();
}

bool Shard::finished() const {
    if (!draining_) return false;
    const SteadyTime until{Duration(drain_until_.load(std::memory_order_relaxed))};
    if (now_.steady + kFlushTime >= until) return true;
    const bool answered = core_->downlinks() == 0 || now_.steady >= drain_began_ + kDownlinkTime;
    return core_->drained() && answered;
}

void Shard::run() {
    while (!finished()) run_once();
    const SteadyTime until{Duration(drain_until_.load(std::memory_order_relaxed))};
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - runtime::steady_now());
    if (!producer_->flush(*this, std::max(left / 2, 10ms))) {
        options_.log.warn("records not delivered at the end", {{"records", producer_->stats().queued}});
    }
    flush_sockets();
}

void Shard::run_once() {
    const bool quiet = news_.prepare_to_sleep() && calls_.prepare_to_sleep();
    const Duration wait = quiet ? std::max(core_->next_timeout() - runtime::steady_now(), Duration::zero()) : 0s;
    const auto ready = poller_.wait(std::min<Duration>(wait, draining_ ? Duration(20ms) : Duration(1s)));
    now_ = runtime::now();
    for (const auto& event : ready) {
        if (event.tag == kWakeupTag) {
            wakeup_.clear();
        } else if (event.tag == kKafkaTag) {
            producer_->poll(*this);
        } else if (event.readable) {
            read_socket(event.tag);
        }
    }
    read_mailboxes();
    if (now_.steady >= core_->next_timeout()) core_->on_timer(now_);
    if (now_.steady >= next_kafka_check_) check_kafka();
    options_.registry.flush();
    flush_sockets();
    if (!draining_ && drain_until_.load(std::memory_order_acquire) != 0) {
        draining_ = true;
        drain_began_ = now_.steady;
        core_->begin_drain(now_);
    }
}

void Shard::read_socket(std::size_t index) {
    for (int turn = 0; turn < kBatchesPerTurn; ++turn) {
        const auto batch = sockets_[index].udp.recv_batch();
        for (const runtime::Received& received : batch) {
            if (received.truncated) {
                metrics_.count_drop(DropReason::truncated);
                continue;
            }
            const coap::PeerId from{received.peer, static_cast<std::uint32_t>(index)};
            if (const auto inbound = stage_.open(from, received.bytes, now_, *this)) {
                core_->on_message(*inbound, now_);
            } else {
                metrics_.count_drop(DropReason::session);
            }
        }
        if (batch.size() < runtime::kUdpBatch) return;
        flush_sockets();
    }
}

void Shard::read_mailboxes() {
    news_.drain(news_batch_);
    for (const RegistryNews& news : news_batch_) {
        for (const auto& result : news.results) core_->on_registry_result(result, now_);
        for (const auto& fenced : news.fenced) core_->on_fenced(fenced.device_number(), fenced.epoch(), now_);
    }
    calls_.drain(call_batch_);
    for (RoutedCall& routed : call_batch_) handle_call(routed);
}

void Shard::handle_call(RoutedCall& routed) {
    if (core_->on_downlink(routed.call, now_)) return;
    if (routed.shards_left > 0) {
        --routed.shards_left;
        Shard& next = *shards_[(options_.index + 1) % shards_.size()];
        if (next.post(std::move(routed))) return;
    }
    core_->refuse_not_owner(routed.call);  // NOLINT(bugprone-use-after-move): a failed post() takes nothing
}

void Shard::transmit(const coap::PeerId& peer, ByteView message) {
    stage_.seal(peer, message, *this);
}

void Shard::send(const coap::PeerId& to, ByteView datagram) {
    Socket& socket = sockets_[to.listener];
    if (socket.queue.full()) socket.queue.flush(socket.udp);
    if (!socket.queue.push(to.address, datagram)) metrics_.count_drop(DropReason::send_queue_full);
}

void Shard::flush_sockets() {
    for (std::size_t i = 0; i < sockets_.size(); ++i) {
        Socket& socket = sockets_[i];
        if (socket.queue.size() != 0) socket.queue.flush(socket.udp);
        const bool blocked = socket.queue.size() != 0;
        if (blocked == socket.waits_writable) continue;
        poller_.modify(socket.udp.fd(), i, {true, blocked});
        socket.waits_writable = blocked;
    }
}

bool Shard::produce(const UplinkMessage& message) {
    kafka::Record record;
    record.topic = topic_;
    record.key = message.key;
    record.value = message.value;
    record.timestamp_ms = message.received_ms;
    record.opaque = message.opaque;
    return producer_->produce(record).has_value();
}

void Shard::on_delivered(const kafka::Delivery& delivery) {
    core_->on_delivery(delivery.opaque, delivery.delivered, now_);
}

// Once a second: the health page, and a new producer when the idempotent one has given up for good.
void Shard::check_kafka() {
    next_kafka_check_ = now_.steady + 1s;
    if (producer_->fatal()) {
        options_.log.error("kafka producer failed for good, making a new one",
                           {{"reason", producer_->unavailable_reason()}});
        producer_->purge();
        producer_->poll(*this);
        poller_.remove(producer_->event_fd());
        auto old = std::move(producer_);
        if (auto made = make_producer(); !made) {
            producer_ = std::move(old);
            poller_.add(producer_->event_fd(), kKafkaTag);
        }
    }
    if (options_.index != 0) return;
    if (producer_->available()) {
        options_.kafka.ok();
    } else {
        options_.kafka.degraded(producer_->unavailable_reason());
    }
}

}  // namespace lanyard::coap_ingress
