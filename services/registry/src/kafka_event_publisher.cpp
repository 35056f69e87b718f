#include "kafka_event_publisher.hpp"

#include "base/rfc3339.hpp"
#include "event_value.hpp"
#include "kafka/cloud_event.hpp"
#include "kafka/topic_keeper.hpp"
#include "lanyard/events/v1/lifecycle.pb.h"
#include "runtime/deadline.hpp"

namespace lanyard::registry {
namespace {

using std::chrono::milliseconds;

std::vector<kafka::TopicSpec> topic_specs(const TopicConfig& topics) {
    kafka::TopicSpec lifecycle;
    lifecycle.name = topics.lifecycle;
    lifecycle.partitions = topics.partitions;
    lifecycle.config = {{"retention.ms", "2592000000"}};
    kafka::TopicSpec state;
    state.name = topics.device_state;
    state.partitions = topics.partitions;
    state.config = {{"cleanup.policy", "compact"}, {"delete.retention.ms", std::to_string(kTombstonesKept.count())}};
    return {lifecycle, state};
}

}  // namespace

Result<std::unique_ptr<KafkaEventPublisher>> KafkaEventPublisher::start(const Config& config, const SipKey& key,
                                                                        NodeNames& nodes, Executor executor,
                                                                        const telemetry::Logger& log,
                                                                        StateCallback on_state) {
    std::unique_ptr<KafkaEventPublisher> publisher(
        new KafkaEventPublisher(config, key, nodes, std::move(executor), log, std::move(on_state)));
    if (auto opened = publisher->open_producer(); !opened) return opened.error();
    publisher->thread_ = runtime::Thread("reg-kafka", [self = publisher.get()] { self->run(); });
    return publisher;
}

KafkaEventPublisher::KafkaEventPublisher(const Config& config, const SipKey& key, NodeNames& nodes, Executor executor,
                                         const telemetry::Logger& log, StateCallback on_state)
    : config_(config),
      key_(key),
      nodes_(nodes),
      executor_(std::move(executor)),
      log_(log),
      on_state_(std::move(on_state)) {}

KafkaEventPublisher::~KafkaEventPublisher() {
    stop_ = true;
    if (thread_.joinable()) (void)thread_.join(runtime::Deadline::in(std::chrono::seconds(20)));
}

Result<void> KafkaEventPublisher::open_producer() {
    kafka::ProducerConfig settings = config_.kafka;
    settings.linger = std::chrono::duration_cast<milliseconds>(config_.kafka_linger);
    auto producer = kafka::Producer::create(settings);
    if (!producer) return producer.error();
    auto lifecycle = (*producer)->topic(config_.topics.lifecycle);
    if (!lifecycle) return lifecycle.error();
    auto state = (*producer)->topic(config_.topics.device_state);
    if (!state) return state.error();
    const std::lock_guard lock(mutex_);
    producer_ = std::move(*producer);
    lifecycle_ = *lifecycle;
    device_state_ = *state;
    return {};
}

void KafkaEventPublisher::run() {
    while (!stop_ && !prepare_topics()) {
    }
    bool reported = false;
    bool was_available = false;
    while (!stop_) {
        producer_->poll(*this, 10000, milliseconds(100));
        if (producer_->fatal()) replace_producer();
        const bool available = producer_->available();
        if (reported && available == was_available) continue;
        reported = true;
        was_available = available;
        on_state_(available ? runtime::HealthState::ok : runtime::HealthState::degraded,
                  available ? std::string() : producer_->unavailable_reason());
    }
}

// The topics must be there before the first event. False: try again.
bool KafkaEventPublisher::prepare_topics() {
    const kafka::TopicPlan plan{.client = config_.kafka.client,
                                .manage = config_.topics.manage,
                                .own = topic_specs(config_.topics),
                                .timeout = milliseconds(3000)};
    if (const auto done = kafka::prepare_topics(plan, log_); !done) {
        log_.warn("waiting for Kafka", {{"reason", done.error().message}});
        on_state_(runtime::HealthState::down, done.error().message);
        producer_->poll(*this, 1000, milliseconds(500));
        return false;
    }
    usable_ = true;
    return true;
}

void KafkaEventPublisher::replace_producer() {
    log_.error("Kafka producer failed for good, making a new one", {{"reason", producer_->unavailable_reason()}});
    std::unordered_map<std::uint64_t, Batch> failed;
    {
        const std::lock_guard lock(mutex_);
        failed.swap(batches_);
    }
    if (auto opened = open_producer(); !opened) log_.error("no new producer", {{"reason", opened.error().message}});
    for (auto& item : failed) {
        executor_([done = std::move(item.second.done)]() mutable {
            done(make_error(Errc::unavailable, "the Kafka producer was replaced"));
        });
    }
}

void KafkaEventPublisher::publish(std::vector<OutboxEntry> entries, Done<void> done) {
    if (!usable_ || entries.empty()) {
        Result<void> result;
        if (!usable_) result = make_error(Errc::unavailable, "the Kafka topics are not ready");
        executor_([done = std::move(done), result]() mutable { done(std::move(result)); });
        return;
    }
    std::vector<std::uint32_t> nodes;
    for (const OutboxEntry& entry : entries) nodes.push_back(entry.device.node);
    nodes_.prepare(nodes, [this, entries = std::move(entries), done = std::move(done)](Result<void> named) mutable {
        if (!named) return done(std::move(named));
        publish_named(entries, std::move(done));
    });
}

void KafkaEventPublisher::publish_named(const std::vector<OutboxEntry>& entries, Done<void> done) {
    std::uint64_t batch = 0;
    {
        const std::lock_guard lock(mutex_);
        batch = ++last_batch_;
        // One more than there are records, so that it cannot end before all are handed over.
        batches_[batch] = Batch{entries.size() * 2 + 1, {}, std::move(done)};
    }
    for (const OutboxEntry& entry : entries) produce(entry, batch);
    settle(batch, {});
}

// Both records of an event. The state is no event: CloudEvents' attributes stand with the lifecycle record.
void KafkaEventPublisher::produce(const OutboxEntry& entry, std::uint64_t batch) {
    const EventValues values = event_values(entry, key_, nodes_.name(entry.device.node), config_.value_format);
    const std::string key = entry.device.key();
    const std::string id = event_id_of(entry);
    const std::string type = "cloud.lanyard.lifecycle." + std::string(to_string(entry.event)) + ".v1";
    const std::string source = "/tenants/" + entry.device.tenant + "/devices/" + entry.device.endpoint;
    std::string time;
    append_rfc3339(time, entry.time_ms);
    const std::string sequence = std::to_string(entry.device.counter);
    const std::string_view content_type = config_.value_format == ValueFormat::json ? kJsonType : kProtobufType;
    kafka::EventHeaders headers;
    headers.set({
        .content_type = content_type,
        .id = id,
        .type = type,
        .source = source,
        .subject = entry.device.endpoint,
        .time = time,
        .partition_key = key,
        .sequence = sequence,
        .tenant = entry.device.tenant,
    });
    const kafka::Header state_headers[] = {{"content-type", content_type}};
    kafka::Record record;
    record.key = key;
    record.value = as_bytes(values.lifecycle);
    record.headers = headers.view();
    record.timestamp_ms = entry.time_ms;
    record.opaque = batch;
    const std::lock_guard lock(mutex_);
    record.topic = lifecycle_;
    const auto event = producer_->produce(record);
    record.headers = state_headers;
    record.topic = device_state_;
    record.value = as_bytes(values.device_state);
    record.tombstone = entry.event == LifecycleEvent::deleted;
    const auto state = producer_->produce(record);
    for (const auto& taken : {event, state}) {
        if (!taken) settle_one(batch, taken);
    }
}

void KafkaEventPublisher::on_delivered(const kafka::Delivery& delivery) {
    Result<void> result;
    if (!delivery.delivered) result = make_error(delivery.error, std::string(delivery.reason));
    settle(delivery.opaque, result);
}

void KafkaEventPublisher::settle(std::uint64_t number, const Result<void>& result) {
    const std::lock_guard lock(mutex_);
    settle_one(number, result);
}

// Under the mutex.
void KafkaEventPublisher::settle_one(std::uint64_t number, const Result<void>& result) {
    const auto found = batches_.find(number);
    if (found == batches_.end()) return;
    Batch& batch = found->second;
    if (!result && batch.result) batch.result = result;
    if (--batch.open > 0) return;
    executor_([done = std::move(batch.done), outcome = batch.result]() mutable { done(std::move(outcome)); });
    batches_.erase(found);
}

}  // namespace lanyard::registry
