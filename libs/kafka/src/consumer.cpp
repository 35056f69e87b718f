#include "kafka/consumer.hpp"

#include <algorithm>

#include "consumer_impl.hpp"
#include "errors.hpp"
#include "partitions.hpp"

namespace lanyard::kafka {
namespace {

using std::chrono::milliseconds;

Properties properties_of(const ConsumerConfig& config) {
    Properties properties;
    const bool in_group = !config.group.empty();
    // Without a group librdkafka still wants a name; nothing joins or commits under it.
    properties.set("group.id", in_group ? config.group : config.client.client_id + ".assigned");
    properties.set("enable.auto.commit", "false");
    properties.set("enable.auto.offset.store", "false");
    const char* group_start = config.start_at == StartAt::earliest ? "earliest" : "latest";
    properties.set("auto.offset.reset", in_group ? group_start : "error");
    properties.set("partition.assignment.strategy", config.cooperative ? "cooperative-sticky" : "range,roundrobin");
    properties.set("session.timeout.ms", std::to_string(config.session_timeout.count()));
    properties.set("heartbeat.interval.ms", std::to_string(config.session_timeout.count() / 4));
    const milliseconds poll_interval_max = std::max(config.poll_interval_max, config.session_timeout);
    properties.set("max.poll.interval.ms", std::to_string(poll_interval_max.count()));
    properties.set("queued.max.messages.kbytes", std::to_string(config.prefetch_max_kib));
    properties.set("fetch.wait.max.ms", "100");
    properties.set("reconnect.backoff.max.ms", "1000");
    properties.set("statistics.interval.ms", "1000");
    properties.set_client(config.client);
    rd_kafka_conf_set_events(properties.handle(), RD_KAFKA_EVENT_FETCH | RD_KAFKA_EVENT_REBALANCE |
                                                      RD_KAFKA_EVENT_OFFSET_COMMIT | RD_KAFKA_EVENT_ERROR |
                                                      RD_KAFKA_EVENT_STATS);
    return properties;
}

}  // namespace

void ConsumerEvents::on_assigned(std::span<const TopicOffset>) {}
void ConsumerEvents::on_revoked(std::span<const TopicOffset>) {}
void ConsumerEvents::on_lost(std::span<const TopicOffset>) {}
void ConsumerEvents::on_committed(std::span<const TopicOffset>, const Result<void>&) {}
void ConsumerEvents::on_error(const Error&, const TopicOffset*) {}

Consumer::Consumer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Consumer::~Consumer() = default;

Result<std::unique_ptr<Consumer>> Consumer::create(const ConsumerConfig& config, ConsumerEvents& events) {
    auto impl = std::make_unique<Impl>(events);
    impl->config = config;
    auto client = properties_of(config).create(RD_KAFKA_CONSUMER, &impl->config.client);
    if (!client) return client.error();
    impl->client = std::move(*client);
    rd_kafka_poll_set_consumer(impl->client.get());
    impl->queue.reset(rd_kafka_queue_get_consumer(impl->client.get()));
    impl->signal.attach(impl->queue.get());
    return std::unique_ptr<Consumer>(new Consumer(std::move(impl)));
}

Result<void> Consumer::subscribe(std::span<const std::string> topics) {
    if (auto group = impl_->need_group(); !group) return group;
    const PartitionsHandle list(rd_kafka_topic_partition_list_new(static_cast<int>(topics.size())));
    for (const auto& topic : topics) {
        rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
    }
    return to_result(rd_kafka_subscribe(impl_->client.get(), list.get()), "subscribe");
}

Result<void> Consumer::assign(std::span<const TopicOffset> offsets) {
    return to_result(rd_kafka_assign(impl_->client.get(), to_list(offsets).get()), "assign");
}

Result<void> Consumer::assign_kept(std::span<const TopicOffset> offsets, milliseconds timeout) {
    if (auto kept = impl_->need_kept(offsets, timeout); !kept) return kept;
    return assign(offsets);
}

std::size_t Consumer::poll(MessageBatch& batch, std::size_t max, milliseconds timeout) {
    return impl_->poll(batch, max, timeout);
}

int Consumer::event_fd() const {
    return impl_->signal.fd();
}

Result<void> Consumer::pause(std::span<const TopicOffset> partitions) {
    return to_result(rd_kafka_pause_partitions(impl_->client.get(), to_list(partitions).get()), "pause");
}

Result<void> Consumer::resume(std::span<const TopicOffset> partitions) {
    return to_result(rd_kafka_resume_partitions(impl_->client.get(), to_list(partitions).get()), "resume");
}

Result<void> Consumer::seek(const TopicOffset& to, milliseconds timeout) {
    const auto list = to_list({&to, 1});
    if (auto sent = to_result(
            rd_kafka_seek_partitions(impl_->client.get(), list.get(), static_cast<int>(timeout.count())), "seek");
        !sent) {
        return sent;
    }
    return to_result(first_error(list.get()), "seek");
}

Result<void> Consumer::commit(std::span<const TopicOffset> offsets) {
    if (offsets.empty()) return {};
    if (auto group = impl_->need_group(); !group) return group;
    const auto list = to_list(offsets);
    auto code = rd_kafka_commit(impl_->client.get(), list.get(), 0);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) code = first_error(list.get());
    return to_result(code, "commit");
}

Result<void> Consumer::commit_async(std::span<const TopicOffset> offsets) {
    if (offsets.empty()) return {};
    if (auto group = impl_->need_group(); !group) return group;
    const auto code =
        rd_kafka_commit_queue(impl_->client.get(), to_list(offsets).get(), impl_->queue.get(), nullptr, nullptr);
    return to_result(code, "commit");
}

Result<std::vector<TopicOffset>> Consumer::committed(std::span<const TopicOffset> partitions, milliseconds timeout) {
    if (auto group = impl_->need_group(); !group) return group.error();
    const auto list = to_list(partitions);
    const auto code = rd_kafka_committed(impl_->client.get(), list.get(), static_cast<int>(timeout.count()));
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return to_error(code, "committed offsets");
    return from_list(list.get());
}

Result<Watermarks> Consumer::watermarks(const std::string& topic, std::int32_t partition, milliseconds timeout) {
    Watermarks marks;
    const auto code = rd_kafka_query_watermark_offsets(impl_->client.get(), topic.c_str(), partition, &marks.low,
                                                       &marks.high, static_cast<int>(timeout.count()));
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return to_error(code, "watermarks of " + topic);
    return marks;
}

Result<std::vector<TopicOffset>> Consumer::end_offsets(const std::string& topic, milliseconds timeout) {
    return impl_->query_times(topic, kOffsetEnd, timeout);
}

Result<std::vector<TopicOffset>> Consumer::offsets_at(const std::string& topic, UnixMillis at, milliseconds timeout) {
    auto found = impl_->query_times(topic, at, timeout);
    if (!found) return found;
    const bool all_known = std::none_of(found->begin(), found->end(), [](const auto& o) { return o.offset < 0; });
    if (all_known) return found;
    auto ends = end_offsets(topic, timeout);
    if (!ends) return ends;
    for (std::size_t i = 0; i < found->size() && i < ends->size(); ++i) {
        if ((*found)[i].offset < 0) (*found)[i].offset = (*ends)[i].offset;
    }
    return found;
}

Result<std::int32_t> Consumer::partition_count(const std::string& topic, milliseconds timeout) {
    return impl_->partition_count(topic, timeout);
}

bool Consumer::available() const {
    return impl_->reachability.up();
}
void Consumer::close() {
    impl_->close();
}

}  // namespace lanyard::kafka
