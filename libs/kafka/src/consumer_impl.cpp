#include "consumer_impl.hpp"

#include <algorithm>

#include "errors.hpp"
#include "partitions.hpp"

namespace lanyard::kafka {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// How long close() may take to leave the group; the session timeout does the rest.
constexpr std::chrono::seconds kCloseMax{5};

int left_ms(steady_clock::time_point until) {
    const auto left = std::chrono::ceil<milliseconds>(until - steady_clock::now()).count();
    return static_cast<int>(std::max<std::int64_t>(left, 0));
}

}  // namespace

std::size_t Consumer::Impl::poll(MessageBatch& batch, std::size_t max, milliseconds timeout) {
    batch.clear();
    signal.clear();
    if (waiting_rebalance_) handle_rebalance(std::exchange(waiting_rebalance_, nullptr).get());
    const auto until = steady_clock::now() + timeout;
    while (batch.size() < max) {
        EventHandle event(rd_kafka_queue_poll(queue.get(), batch.empty() ? left_ms(until) : 0));
        if (!event) return batch.size();
        if (!handle(std::move(event), batch)) break;
    }
    signal.again();
    return batch.size();
}

bool Consumer::Impl::handle(EventHandle event, MessageBatch& batch) {
    switch (rd_kafka_event_type(event.get())) {
        case RD_KAFKA_EVENT_FETCH:
            if (const rd_kafka_message_t* message = rd_kafka_event_message_next(event.get())) {
                batch.messages_.push_back(message);
                batch.events_.push_back(event.release());
            }
            return true;
        case RD_KAFKA_EVENT_REBALANCE:
            if (!batch.empty()) {
                // The records in hand come first: after on_revoked nobody may see them.
                waiting_rebalance_ = std::move(event);
                return false;
            }
            handle_rebalance(event.get());
            return true;
        case RD_KAFKA_EVENT_OFFSET_COMMIT:
            handle_commit(event.get());
            return true;
        case RD_KAFKA_EVENT_ERROR:
            handle_error(event.get());
            return true;
        case RD_KAFKA_EVENT_STATS:
            reachability.on_statistics(rd_kafka_event_stats(event.get()));
            return true;
        default:
            return true;
    }
}

bool Consumer::Impl::is_cooperative() const {
    return std::string_view(rd_kafka_rebalance_protocol(client.get())) == "COOPERATIVE";
}

void Consumer::Impl::handle_rebalance(rd_kafka_event_t* event) {
    const auto* list = rd_kafka_event_topic_partition_list(event);
    if (rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        assign_partitions(list);
    } else {
        revoke_partitions(list);
    }
}

void Consumer::Impl::assign_partitions(const rd_kafka_topic_partition_list_t* list) {
    auto result = is_cooperative() ? to_result(rd_kafka_incremental_assign(client.get(), list), "assign")
                                   : to_result(rd_kafka_assign(client.get(), list), "assign");
    if (!result) {
        events.on_error(result.error(), nullptr);
        return;
    }
    events.on_assigned(from_list(list));
}

void Consumer::Impl::revoke_partitions(const rd_kafka_topic_partition_list_t* list) {
    const auto partitions = from_list(list);
    if (rd_kafka_assignment_lost(client.get()) != 0) {
        events.on_lost(partitions);
    } else {
        events.on_revoked(partitions);
    }
    auto result = is_cooperative() ? to_result(rd_kafka_incremental_unassign(client.get(), list), "revoke")
                                   : to_result(rd_kafka_assign(client.get(), nullptr), "revoke");
    if (!result) events.on_error(result.error(), nullptr);
}

void Consumer::Impl::handle_commit(rd_kafka_event_t* event) {
    const auto* list = rd_kafka_event_topic_partition_list(event);
    auto code = rd_kafka_event_error(event);
    if (code == RD_KAFKA_RESP_ERR__NO_OFFSET) return;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && list != nullptr) code = first_error(list);
    events.on_committed(from_list(list), to_result(code, "commit"));
}

void Consumer::Impl::handle_error(rd_kafka_event_t* event) {
    const auto code = rd_kafka_event_error(event);
    reachability.on_error(code, rd_kafka_event_error_string(event));
    const Error error = make_error(to_errc(code), std::string("kafka: ") + rd_kafka_event_error_string(event));
    const PartitionHandle at(rd_kafka_event_topic_partition(event));
    if (!at || at->topic == nullptr) {
        events.on_error(error, nullptr);
        return;
    }
    const TopicOffset partition{at->topic, at->partition, at->offset};
    events.on_error(error, &partition);
}

void Consumer::Impl::close() {
    if (closed_ || !client) return;
    closed_ = true;
    if (waiting_rebalance_) handle_rebalance(std::exchange(waiting_rebalance_, nullptr).get());
    const ErrorHandle refused(rd_kafka_consumer_close_queue(client.get(), queue.get()));
    const auto until = steady_clock::now() + kCloseMax;
    MessageBatch dropped;
    while (!refused && rd_kafka_consumer_closed(client.get()) == 0 && left_ms(until) > 0) {
        EventHandle event(rd_kafka_queue_poll(queue.get(), std::min(left_ms(until), 100)));
        if (!event) continue;
        dropped.clear();
        handle(std::move(event), dropped);
    }
}

Result<void> Consumer::Impl::need_group() const {
    if (!config.group.empty()) return {};
    return make_error(Errc::failed_precondition, "kafka: this consumer has no group");
}

Result<std::int32_t> Consumer::Impl::partition_count(const std::string& topic, milliseconds timeout) {
    const TopicHandle handle(rd_kafka_topic_new(client.get(), topic.c_str(), nullptr));
    const rd_kafka_metadata_t* metadata = nullptr;
    const auto code = rd_kafka_metadata(client.get(), 0, handle.get(), &metadata, static_cast<int>(timeout.count()));
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return to_error(code, "metadata of " + topic);
    const std::unique_ptr<const rd_kafka_metadata_t, Deleter<rd_kafka_metadata_destroy>> owned(metadata);
    if (metadata->topic_cnt != 1) return make_error(Errc::not_found, "kafka: no topic " + topic);
    const auto& found = metadata->topics[0];
    if (found.err != RD_KAFKA_RESP_ERR_NO_ERROR) return to_error(found.err, "topic " + topic);
    return found.partition_cnt;
}

Result<std::vector<TopicOffset>> Consumer::Impl::query_times(const std::string& topic, std::int64_t time,
                                                             milliseconds timeout) {
    const auto until = steady_clock::now() + timeout;
    const auto count = partition_count(topic, timeout);
    if (!count) return count.error();
    std::vector<TopicOffset> partitions;
    for (std::int32_t partition = 0; partition < *count; ++partition) partitions.push_back({topic, partition, 0});
    return find_times(std::move(partitions), time, milliseconds(left_ms(until)));
}

Result<std::vector<TopicOffset>> Consumer::Impl::find_times(std::vector<TopicOffset> partitions, std::int64_t time,
                                                            milliseconds timeout) {
    if (partitions.empty()) return partitions;
    for (TopicOffset& partition : partitions) partition.offset = time;
    const auto list = to_list(partitions);
    auto code = rd_kafka_offsets_for_times(client.get(), list.get(), static_cast<int>(timeout.count()));
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) code = first_error(list.get());
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return to_error(code, "offsets of " + partitions.front().topic);
    return from_list(list.get());
}

Result<void> Consumer::Impl::need_kept(std::span<const TopicOffset> offsets, milliseconds timeout) {
    const auto until = steady_clock::now() + timeout;
    const std::vector<TopicOffset> partitions(offsets.begin(), offsets.end());
    const auto starts = find_times(partitions, kOffsetBeginning, timeout);
    if (!starts) return starts.error();
    const auto ends = find_times(partitions, kOffsetEnd, milliseconds(left_ms(until)));
    if (!ends) return ends.error();
    for (std::size_t i = 0; i < offsets.size(); ++i) {
        const auto& [topic, partition, offset] = offsets[i];
        if (offset < 0 || (offset >= (*starts)[i].offset && offset <= (*ends)[i].offset)) continue;
        return make_error(Errc::not_found, topic + ", partition " + std::to_string(partition) + " keeps offsets " +
                                               std::to_string((*starts)[i].offset) + " to " +
                                               std::to_string((*ends)[i].offset) + ", not " + std::to_string(offset));
    }
    return {};
}

}  // namespace lanyard::kafka
