#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "kafka/config.hpp"
#include "kafka/record.hpp"

struct rd_kafka_op_s;
struct rd_kafka_message_s;

namespace lanyard::kafka {

// A record as it was read. Views into the MessageBatch that holds it.
class MessageView {
  public:
    explicit MessageView(const rd_kafka_message_s* message) : message_(message) {}

    [[nodiscard]] std::string_view topic() const;
    [[nodiscard]] std::int32_t partition() const;
    [[nodiscard]] std::int64_t offset() const;
    [[nodiscard]] std::string_view key() const;
    [[nodiscard]] ByteView value() const;
    // A null value, as in a compacted topic.
    [[nodiscard]] bool tombstone() const;
    // When it was produced, or appended if the topic says so; 0 if unknown.
    [[nodiscard]] UnixMillis timestamp_ms() const;
    // The last header of that name.
    [[nodiscard]] std::optional<std::string_view> header(const char* name) const;
    // Calls `visit` for each header in order.
    void for_each_header(const std::function<void(const Header&)>& visit) const;

  private:
    const rd_kafka_message_s* message_;
};

// The records of one poll. Reusable: poll() clears it first. Must not outlive its consumer.
class MessageBatch {
  public:
    MessageBatch() = default;
    ~MessageBatch() { clear(); }
    MessageBatch(const MessageBatch&) = delete;
    MessageBatch& operator=(const MessageBatch&) = delete;

    [[nodiscard]] std::size_t size() const { return messages_.size(); }
    [[nodiscard]] bool empty() const { return messages_.empty(); }
    [[nodiscard]] MessageView operator[](std::size_t index) const { return MessageView(messages_[index]); }
    void clear();

  private:
    friend class Consumer;
    std::vector<rd_kafka_op_s*> events_;
    std::vector<const rd_kafka_message_s*> messages_;
};

// What happens to a consumer besides records. Called inside Consumer::poll and close, on their thread.
class ConsumerEvents {
  public:
    virtual ~ConsumerEvents() = default;
    // These partitions are now ours; reading starts at the group's committed offsets.
    virtual void on_assigned(std::span<const TopicOffset> partitions);
    // These partitions go to somebody else when this returns: finish and commit what was read from them.
    virtual void on_revoked(std::span<const TopicOffset> partitions);
    // These partitions went to somebody else already (session timeout): drop what was read; a commit would fail.
    virtual void on_lost(std::span<const TopicOffset> partitions);
    // The outcome of commit_async.
    virtual void on_committed(std::span<const TopicOffset> offsets, const Result<void>& result);
    // A partition or the cluster is in trouble. not_found with a partition: the offset asked for is no longer
    // (or not yet) in the log; the partition is not read until it is assigned anew. Brokers down: unavailable,
    // no partition; reading goes on by itself.
    virtual void on_error(const Error& error, const TopicOffset* partition);
};

struct Watermarks {
    std::int64_t low = 0;   // the first offset in the log
    std::int64_t high = 0;  // the next offset to be written
};

// Reads topics, either as a member of a group (subscribe, commit) or from given offsets (assign).
//
// Nothing is committed by itself: after processing, commit the offset to read next. poll() never returns
// records of a partition after on_revoked or on_lost named it. One thread uses a consumer; available() is safe
// from any. Methods marked "blocks" do a round trip to the broker and belong on a thread of their own.
class Consumer {
  public:
    [[nodiscard]] static Result<std::unique_ptr<Consumer>> create(const ConsumerConfig& config, ConsumerEvents& events);
    // Leaves the group. Blocks a moment.
    ~Consumer();
    Consumer(const Consumer&) = delete;
    Consumer& operator=(const Consumer&) = delete;

    // Joins the group for these topics. failed_precondition without a group.
    [[nodiscard]] Result<void> subscribe(std::span<const std::string> topics);
    // Reads exactly these partitions from these offsets (kOffsetBeginning and kOffsetEnd allowed), instead of
    // what was assigned before. An empty span reads nothing.
    [[nodiscard]] Result<void> assign(std::span<const TopicOffset> offsets);
    // assign() for who resumes at offsets of long ago: not_found, and nothing is assigned, where a partition no longer
    // (or not yet) holds its offset; kOffsetBeginning is always held. Blocks.
    //
    // A broker would tell on_error the same a little later. But librdkafka 2.0.2 may wait for ever in the destructor of
    // a consumer that is ended while a broker's answer of that kind is under way.
    [[nodiscard]] Result<void> assign_kept(std::span<const TopicOffset> offsets, std::chrono::milliseconds timeout);

    // Fills `batch` with up to `max` records. Waits up to `timeout` for the first one. Returns their number.
    std::size_t poll(MessageBatch& batch, std::size_t max, std::chrono::milliseconds timeout);
    // Readable (epoll, level) whenever poll() has something to do. Owned by the consumer.
    [[nodiscard]] int event_fd() const;

    // Stops and goes on fetching these partitions, for back pressure while poll() keeps the membership alive.
    [[nodiscard]] Result<void> pause(std::span<const TopicOffset> partitions);
    [[nodiscard]] Result<void> resume(std::span<const TopicOffset> partitions);
    // Goes back (or forth) in a partition that is assigned. Blocks for a moment.
    [[nodiscard]] Result<void> seek(const TopicOffset& to, std::chrono::milliseconds timeout);

    // Commits the offsets to read next. Blocks. aborted when the group has moved on, unavailable, …
    [[nodiscard]] Result<void> commit(std::span<const TopicOffset> offsets);
    // The same without waiting; the outcome comes to on_committed.
    [[nodiscard]] Result<void> commit_async(std::span<const TopicOffset> offsets);

    // What the group has committed for these partitions; kOffsetBeginning - 1000 (-1001) where nothing. Blocks.
    [[nodiscard]] Result<std::vector<TopicOffset>> committed(std::span<const TopicOffset> partitions,
                                                             std::chrono::milliseconds timeout);
    // Both ends of one partition's log. Blocks.
    [[nodiscard]] Result<Watermarks> watermarks(const std::string& topic, std::int32_t partition,
                                                std::chrono::milliseconds timeout);
    // The end of every partition of a topic, as offsets to read next. not_found if there is none. Blocks.
    [[nodiscard]] Result<std::vector<TopicOffset>> end_offsets(const std::string& topic,
                                                               std::chrono::milliseconds timeout);
    // The first offset of every partition whose record is not older than `at`; the end where all are. Blocks.
    [[nodiscard]] Result<std::vector<TopicOffset>> offsets_at(const std::string& topic, UnixMillis at,
                                                              std::chrono::milliseconds timeout);
    // The number of partitions of a topic. not_found if there is none. Blocks.
    [[nodiscard]] Result<std::int32_t> partition_count(const std::string& topic, std::chrono::milliseconds timeout);

    // False while no broker can be reached (known through poll()). True before the first attempt has failed.
    [[nodiscard]] bool available() const;
    // Leaves the group and calls on_revoked. Blocks. Later calls do nothing.
    void close();

  private:
    class Impl;
    explicit Consumer(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace lanyard::kafka
