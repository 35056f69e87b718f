#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/time.hpp"

namespace lanyard::telemetry {

// Lets one log line per key and interval through, and counts the others. For every line that a peer can trigger:
//
//   if (auto suppressed = limit_.admit("malformed", now.steady)) {
//       log_.warn("datagram dropped", {{"reason", "malformed"}, {"suppressed", *suppressed}});
//   }
//
// A key names the call site and is a string literal, never peer data; past kMaxKeys keys the surplus shares one
// slot. Not thread-safe: one per shard or loop.
class RateLimit {
  public:
    static constexpr std::size_t kMaxKeys = 64;

    explicit RateLimit(Duration interval) : interval_(interval) {}

    // The number of lines suppressed since the last one let through, or nothing if this one is to be suppressed.
    [[nodiscard]] std::optional<std::uint64_t> admit(std::string_view key, SteadyTime now);

  private:
    struct Slot {
        std::string_view key;
        SteadyTime next;
        std::uint64_t suppressed = 0;
    };

    Slot& slot_for(std::string_view key);

    Duration interval_;
    std::vector<Slot> slots_;
};

}  // namespace lanyard::telemetry
