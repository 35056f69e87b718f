#include "kafka/producer.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <mutex>

#include "client.hpp"
#include "errors.hpp"
#include "handles.hpp"
#include "producer_metrics.hpp"

namespace lanyard::kafka {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// How long flush() lets librdkafka work between two looks at the reports.
constexpr milliseconds kFlushSlice{20};

const char* name_of(Compression compression) {
    switch (compression) {
        case Compression::none:
            return "none";
        case Compression::lz4:
            return "lz4";
        case Compression::zstd:
            return "zstd";
    }
    return "none";
}

Properties properties_of(const ProducerConfig& config) {
    Properties properties;
    properties.set("enable.idempotence", "true");
    properties.set("acks", "all");
    properties.set("max.in.flight.requests.per.connection", "5");
    properties.set("partitioner", "murmur2_random");
    properties.set("compression.codec", name_of(config.compression));
    properties.set("linger.ms", std::to_string(config.linger.count()));
    properties.set("delivery.timeout.ms", std::to_string(config.delivery_timeout.count()));
    // A broker that hangs is left in time for another try before the delivery timeout.
    const auto request_timeout = std::max<std::int64_t>(config.delivery_timeout.count() / 2, 1000);
    properties.set("request.timeout.ms", std::to_string(request_timeout));
    properties.set("socket.timeout.ms", std::to_string(std::max<std::int64_t>(request_timeout, 1000)));
    properties.set("queue.buffering.max.messages", std::to_string(config.queue_max_messages));
    properties.set("queue.buffering.max.kbytes", std::to_string(config.queue_max_kib));
    properties.set("reconnect.backoff.max.ms", "1000");
    properties.set("statistics.interval.ms", "1000");
    properties.set_client(config.client);
    rd_kafka_conf_set_events(properties.handle(), RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_STATS);
    return properties;
}

}  // namespace

class Producer::Impl {
  public:
    explicit Impl(const ProducerConfig& from) : config(from.client), metrics(from.metrics) {}
    ~Impl() {
        // What is still queued is given up, so that destroying does not wait for a broker that is away.
        if (client) rd_kafka_purge(client.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    }

    std::size_t handle(rd_kafka_event_t* event, DeliverySink& sink);
    std::size_t handle_reports(rd_kafka_event_t* event, DeliverySink& sink);
    [[nodiscard]] std::uint64_t queued() const { return produced - delivered - failed; }

    ClientConfig config;
    ProducerMetrics metrics;
    ClientHandle client;
    QueueHandle queue;
    QueueSignal signal;
    Reachability reachability;
    std::mutex topics_mutex;
    std::map<std::string, TopicHandle> topics;
    std::atomic<std::uint64_t> produced{0}, delivered{0}, failed{0}, rejected{0};
};

std::size_t Producer::Impl::handle_reports(rd_kafka_event_t* event, DeliverySink& sink) {
    std::size_t count = 0;
    ProducerMetrics::Run run;
    while (const rd_kafka_message_t* message = rd_kafka_event_message_next(event)) {
        Delivery delivery;
        delivery.opaque = reinterpret_cast<std::uintptr_t>(message->_private);
        delivery.delivered = message->err == RD_KAFKA_RESP_ERR_NO_ERROR;
        delivery.partition = message->partition;
        delivery.offset = message->offset;
        if (delivery.delivered) {
            delivered.fetch_add(1, std::memory_order_relaxed);
        } else {
            delivery.error = to_errc(message->err);
            delivery.reason = rd_kafka_err2str(message->err);
            failed.fetch_add(1, std::memory_order_relaxed);
        }
        if (message->rkt != nullptr) {
            run.add(static_cast<TopicMetrics*>(rd_kafka_topic_opaque(message->rkt)), delivery.delivered,
                    [message] { return rd_kafka_message_latency(message); });
        }
        sink.on_delivered(delivery);
        ++count;
    }
    return count;
}

std::size_t Producer::Impl::handle(rd_kafka_event_t* event, DeliverySink& sink) {
    switch (rd_kafka_event_type(event)) {
        case RD_KAFKA_EVENT_DR:
            return handle_reports(event, sink);
        case RD_KAFKA_EVENT_STATS:
            reachability.on_statistics(rd_kafka_event_stats(event));
            metrics.on_statistics(rd_kafka_event_stats(event));
            return 0;
        case RD_KAFKA_EVENT_ERROR:
            reachability.on_error(rd_kafka_event_error(event), rd_kafka_event_error_string(event));
            return 0;
        default:
            return 0;
    }
}

Producer::Producer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Producer::~Producer() = default;

Result<std::unique_ptr<Producer>> Producer::create(const ProducerConfig& config) {
    auto impl = std::make_unique<Impl>(config);
    auto client = properties_of(config).create(RD_KAFKA_PRODUCER, &impl->config);
    if (!client) return client.error();
    impl->client = std::move(*client);
    impl->queue.reset(rd_kafka_queue_get_main(impl->client.get()));
    impl->signal.attach(impl->queue.get());
    return std::unique_ptr<Producer>(new Producer(std::move(impl)));
}

Result<Topic> Producer::topic(const std::string& name) {
    const std::lock_guard lock(impl_->topics_mutex);
    TopicHandle& known = impl_->topics[name];
    if (!known) {
        rd_kafka_topic_conf_t* conf = rd_kafka_default_topic_conf_dup(impl_->client.get());
        rd_kafka_topic_conf_set_opaque(conf, impl_->metrics.topic(name));
        known.reset(rd_kafka_topic_new(impl_->client.get(), name.c_str(), conf));  // takes the conf
    }
    if (!known) {
        impl_->topics.erase(name);
        return to_error(rd_kafka_last_error(), "topic " + name);
    }
    return Topic(known.get());
}

Result<void> Producer::produce(const Record& record) {
    // Producing copies key and value (MSGFLAGS); the interface only lacks const.
    const auto mutable_pointer = [](const void* bytes) { return const_cast<void*>(bytes); };
    static const std::uint8_t kEmpty = 0;
    const void* value = record.value.empty() ? &kEmpty : record.value.data();

    std::array<rd_kafka_vu_t, 7> fields{};
    std::size_t count = 0;
    const auto next = [&fields, &count ](rd_kafka_vtype_t type) -> auto& {
        fields[count].vtype = type;
        return fields[count++].u;
    };
    next(RD_KAFKA_VTYPE_RKT).rkt = record.topic.handle();
    next(RD_KAFKA_VTYPE_MSGFLAGS).i = RD_KAFKA_MSG_F_COPY;
    next(RD_KAFKA_VTYPE_OPAQUE).ptr = reinterpret_cast<void*>(static_cast<std::uintptr_t>(record.opaque));
    auto& payload = next(RD_KAFKA_VTYPE_VALUE).mem;
    payload = {record.tombstone ? nullptr : mutable_pointer(value), record.tombstone ? 0 : record.value.size()};
    if (!record.key.empty()) {
        next(RD_KAFKA_VTYPE_KEY).mem = {mutable_pointer(record.key.data()), record.key.size()};
    }
    if (record.timestamp_ms != 0) next(RD_KAFKA_VTYPE_TIMESTAMP).i64 = record.timestamp_ms;
    HeadersHandle headers;
    if (!record.headers.empty()) {
        headers.reset(rd_kafka_headers_new(record.headers.size()));
        for (const Header& header : record.headers) {
            rd_kafka_header_add(headers.get(), header.name.data(), static_cast<ssize_t>(header.name.size()),
                                header.value.data(), static_cast<ssize_t>(header.value.size()));
        }
        next(RD_KAFKA_VTYPE_HEADERS).headers = headers.get();
    }
    // Counted first: the report may be handled before produceva() returns.
    impl_->produced.fetch_add(1, std::memory_order_relaxed);
    if (auto result = to_result(rd_kafka_produceva(impl_->client.get(), fields.data(), count), "produce"); !result) {
        impl_->produced.fetch_sub(1, std::memory_order_relaxed);
        impl_->rejected.fetch_add(1, std::memory_order_relaxed);
        return result;
    }
    static_cast<void>(headers.release());  // librdkafka's on success
    return {};
}

std::size_t Producer::poll(DeliverySink& sink, std::size_t max, std::chrono::milliseconds timeout) {
    impl_->signal.clear();
    std::size_t count = 0;
    int wait = static_cast<int>(timeout.count());
    while (count < max) {
        const EventHandle event(rd_kafka_queue_poll(impl_->queue.get(), wait));
        if (!event) return count;
        count += impl_->handle(event.get(), sink);
        wait = 0;
    }
    impl_->signal.again();
    return count;
}

int Producer::event_fd() const {
    return impl_->signal.fd();
}

bool Producer::flush(DeliverySink& sink, std::chrono::milliseconds timeout) {
    const auto until = steady_clock::now() + timeout;
    for (;;) {
        poll(sink);
        if (impl_->queued() == 0) return true;
        const auto left = std::chrono::ceil<milliseconds>(until - steady_clock::now());
        if (left.count() <= 0) return false;
        // In event mode rd_kafka_flush() does not serve reports; it makes lingering records leave and waits.
        rd_kafka_flush(impl_->client.get(), static_cast<int>(std::min(left, kFlushSlice).count()));
    }
}

void Producer::purge() {
    rd_kafka_purge(impl_->client.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
}

bool Producer::available() const {
    return impl_->reachability.up() && !fatal();
}

std::string Producer::unavailable_reason() const {
    if (!fatal()) return impl_->reachability.reason();
    char reason[512]{};
    rd_kafka_fatal_error(impl_->client.get(), reason, sizeof reason);
    return reason;
}

// Asked of librdkafka: its error event is not sure to come.
bool Producer::fatal() const {
    return rd_kafka_fatal_error(impl_->client.get(), nullptr, 0) != RD_KAFKA_RESP_ERR_NO_ERROR;
}

ProducerStats Producer::stats() const {
    return ProducerStats{.produced = impl_->produced,
                         .delivered = impl_->delivered,
                         .failed = impl_->failed,
                         .rejected = impl_->rejected,
                         .queued = impl_->queued()};
}

}  // namespace lanyard::kafka
