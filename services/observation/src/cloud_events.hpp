#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "kafka/record.hpp"

namespace lanyard::observation {

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
