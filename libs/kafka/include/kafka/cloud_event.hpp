#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "kafka/record.hpp"

namespace lanyard::kafka {

// The attributes of an event (CloudEvents 1.0.2, with the extensions partitionkey, sequence and tenantid). Views.
struct CloudEvent {
    std::string_view content_type;
    std::string_view id;
    std::string_view type;
    std::string_view source;
    std::string_view subject{};
    std::string_view time{};  // RFC 3339
    std::string_view partition_key{};
    std::string_view sequence{};
    std::string_view tenant{};
};

// Headers of one record in the binary mode of CloudEvents' Kafka protocol binding (section 3.2). Reusable; keeps views.
// Not thread-safe.
class EventHeaders {
  public:
    static constexpr std::size_t kMax = 20;

    // Headers of this event and no others. Empty attributes are left out.
    void set(const CloudEvent& event);
    // One more; an empty value is left out. Over kMax is a bug of ours.
    void add(std::string_view name, std::string_view value);
    [[nodiscard]] std::span<const Header> view() const { return {headers_.data(), count_}; }

  private:
    std::array<Header, kMax> headers_{};
    std::size_t count_ = 0;
};

}  // namespace lanyard::kafka
