#include "telemetry/rate_limit.hpp"

#include <utility>

namespace lanyard::telemetry {

std::optional<std::uint64_t> RateLimit::admit(std::string_view key, SteadyTime now) {
    Slot& slot = slot_for(key);
    if (now < slot.next) {
        ++slot.suppressed;
        return std::nullopt;
    }
    slot.next = now + interval_;
    return std::exchange(slot.suppressed, 0);
}

RateLimit::Slot& RateLimit::slot_for(std::string_view key) {
    for (Slot& slot : slots_) {
        if (slot.key == key) return slot;
    }
    if (slots_.size() >= kMaxKeys) return slots_.back();
    return slots_.emplace_back(Slot{key, SteadyTime::min(), 0});
}

}  // namespace lanyard::telemetry
