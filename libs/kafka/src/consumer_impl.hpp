#pragma once

#include <string>
#include <vector>

#include "client.hpp"
#include "handles.hpp"
#include "kafka/consumer.hpp"

namespace lanyard::kafka {

// What Consumer owns, and the handling of librdkafka's events.
class Consumer::Impl {
  public:
    explicit Impl(ConsumerEvents& listener) : events(listener) {}
    ~Impl() { close(); }

    std::size_t poll(MessageBatch& batch, std::size_t max, std::chrono::milliseconds timeout);
    void close();
    [[nodiscard]] Result<std::vector<TopicOffset>> query_times(const std::string& topic, std::int64_t time,
                                                               std::chrono::milliseconds timeout);
    // Success when each partition still holds its offset, else not_found.
    [[nodiscard]] Result<void> need_kept(std::span<const TopicOffset> offsets, std::chrono::milliseconds timeout);
    [[nodiscard]] Result<std::int32_t> partition_count(const std::string& topic, std::chrono::milliseconds timeout);
    // Success with a group, else the error.
    [[nodiscard]] Result<void> need_group() const;

    ConsumerConfig config;
    ConsumerEvents& events;
    ClientHandle client;
    QueueHandle queue;
    QueueSignal signal;
    Reachability reachability;

  private:
    // For each partition the first offset whose record is not older than `time`; kOffsetBeginning and kOffsetEnd
    // allowed.
    [[nodiscard]] Result<std::vector<TopicOffset>> find_times(std::vector<TopicOffset> partitions, std::int64_t time,
                                                              std::chrono::milliseconds timeout);
    // False when a rebalance has to wait until the batch is processed.
    bool handle(EventHandle event, MessageBatch& batch);
    void handle_rebalance(rd_kafka_event_t* event);
    void handle_commit(rd_kafka_event_t* event);
    void handle_error(rd_kafka_event_t* event);
    void assign_partitions(const rd_kafka_topic_partition_list_t* list);
    void revoke_partitions(const rd_kafka_topic_partition_list_t* list);
    [[nodiscard]] bool is_cooperative() const;

    EventHandle waiting_rebalance_;
    bool closed_ = false;
};

}  // namespace lanyard::kafka
