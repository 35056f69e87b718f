#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "kafka/record.hpp"
#include "watermark.hpp"

namespace lanyard::observation {

// Progress in the partitions of one topic that a consumer was given. A ticket names one record of one assignment in
// 64 bits, so that it can travel as an opaque number; tickets of an earlier assignment are ignored. Not thread-safe.
class Partitions {
  public:
    using Ticket = std::uint64_t;
    // No record has this ticket.
    static constexpr Ticket kForeign = std::uint64_t{1} << 63;

    explicit Partitions(std::string topic) : topic_(std::move(topic)) {}

    void assign(std::span<const kafka::TopicOffset> partitions);
    void remove(std::span<const kafka::TopicOffset> partitions);
    [[nodiscard]] bool has(std::int32_t partition) const { return entries_.contains(partition); }

    // As in Watermark. take() needs an assigned partition.
    [[nodiscard]] Ticket take(std::int32_t partition, std::int64_t offset);
    void add(Ticket ticket);
    void done(Ticket ticket);

    // Offsets that moved since they were last given out here.
    [[nodiscard]] std::vector<kafka::TopicOffset> to_commit();
    // Those offsets were not committed after all: to_commit() gives them again.
    void commit_failed();
    // Where to read again so that nothing undone is lost; all that was taken is void from now on.
    [[nodiscard]] std::vector<kafka::TopicOffset> rewind();
    // Records taken and not committable yet.
    [[nodiscard]] std::size_t open() const;
    // True when nothing of these partitions is open.
    [[nodiscard]] bool settled(std::span<const kafka::TopicOffset> partitions) const;
    // The next offset by partition, as far as known, for the lag.
    [[nodiscard]] std::map<std::int32_t, std::int64_t> positions() const;

  private:
    struct Entry {
        Watermark watermark;
        std::uint16_t epoch = 0;
        std::int64_t committed = -1;
        std::int64_t position = -1;
    };
    [[nodiscard]] Entry* find(Ticket ticket, Watermark::Slot& slot);

    std::string topic_;
    std::map<std::int32_t, Entry> entries_;
    std::uint16_t next_epoch_ = 0;
};

}  // namespace lanyard::observation
