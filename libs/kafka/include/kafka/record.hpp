#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/time.hpp"

struct rd_kafka_topic_s;

namespace lanyard::kafka {

struct Header {
    std::string_view name;
    std::string_view value;
};

// A topic known to one Producer, which owns it and must outlive it. Cheap to copy.
class Topic {
  public:
    Topic() = default;
    explicit Topic(rd_kafka_topic_s* handle) : handle_(handle) {}
    [[nodiscard]] rd_kafka_topic_s* handle() const { return handle_; }
    explicit operator bool() const { return handle_ != nullptr; }

  private:
    rd_kafka_topic_s* handle_ = nullptr;
};

// A record to produce; everything is copied by produce().
struct Record {
    Topic topic{};
    std::string_view key{};  // empty: no key, any partition
    ByteView value{};
    bool tombstone = false;  // a null value: deletes the key from a compacted topic; `value` is ignored
    std::span<const Header> headers{};
    UnixMillis timestamp_ms = 0;  // 0: now
    std::uint64_t opaque = 0;     // given back in the Delivery
};

// One partition of a topic with the offset to read NEXT (so: last processed + 1).
struct TopicOffset {
    std::string topic{};
    std::int32_t partition = 0;
    std::int64_t offset = 0;
    friend bool operator==(const TopicOffset&, const TopicOffset&) = default;
};

// Offsets with a meaning, for Consumer::assign.
inline constexpr std::int64_t kOffsetBeginning = -2;
inline constexpr std::int64_t kOffsetEnd = -1;

}  // namespace lanyard::kafka
