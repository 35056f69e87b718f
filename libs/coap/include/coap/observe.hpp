#pragma once

#include <cstdint>

#include "base/time.hpp"

namespace lanyard::coap {

// The newest notification of an observation: its Observe value (24 bits) and when it arrived.
struct ObserveStamp {
    std::uint32_t sequence = 0;
    SteadyTime arrived;
};

// Whether a notification is newer than the newest known one, RFC 7641 section 3.4: by the 24-bit sequence with
// wrap-around, or because more than 128 seconds have passed.
constexpr bool is_fresh(const ObserveStamp& newest, const ObserveStamp& incoming) {
    const std::uint32_t v1 = newest.sequence & 0xffffff;
    const std::uint32_t v2 = incoming.sequence & 0xffffff;
    return (v1 < v2 && v2 - v1 < (1U << 23)) || (v1 > v2 && v1 - v2 > (1U << 23)) ||
           incoming.arrived > newest.arrived + std::chrono::seconds(128);
}

}  // namespace lanyard::coap
