#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "kafka/record.hpp"

namespace lanyard::observation {

// "2025-11-24T15:20:00.123Z" (RFC 3339) at the end of `out`. Times outside the years 0 to 9999 are clamped.
void append_rfc3339(std::string& out, UnixMillis time_ms);

// Headers of one record: CloudEvents 1.0, Kafka binding, binary mode. Reusable; add() keeps views.
class EventHeaders {
  public:
    static constexpr std::size_t kMax = 20;

    void clear() { count_ = 0; }
    // Over kMax is a bug of ours. Empty values are left out.
    void add(std::string_view name, std::string_view value);
    [[nodiscard]] std::span<const kafka::Header> view() const { return {headers_.data(), count_}; }

  private:
    std::array<kafka::Header, kMax> headers_{};
    std::size_t count_ = 0;
};

}  // namespace lanyard::observation
