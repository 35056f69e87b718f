#include "freshness.hpp"

namespace lanyard::observation {
namespace {

// RFC 7641 section 3.4: "(V1 < V2 and V2 - V1 < 2^23) or (V1 > V2 and V1 - V2 > 2^23) or (T2 > T1 + 128 seconds)".
bool is_newer(std::uint32_t v1, std::uint32_t v2, UnixMillis t1, UnixMillis t2) {
    constexpr std::uint32_t kHalf = 1U << 23;
    constexpr UnixMillis kWindowMs = 128000;
    return (v1 < v2 && v2 - v1 < kHalf) || (v1 > v2 && v1 - v2 > kHalf) || t2 > t1 + kWindowMs;
}

}  // namespace

bool Freshness::observe(DeviceNumber device, SpecId spec, std::uint32_t generation, std::uint32_t sequence,
                        UnixMillis received_ms) {
    const std::uint64_t k = key(device, spec);
    auto found = last_.find(k);
    if (found == last_.end()) {
        if (last_.size() >= max_) last_.clear();
        last_.emplace(k, Last{generation, sequence, received_ms});
        return true;
    }
    Last& last = found->second;
    if (generation < last.generation) return false;
    if (generation == last.generation && sequence == last.sequence) return true;
    if (generation == last.generation && !is_newer(last.sequence, sequence, last.received_ms, received_ms))
        return false;
    last = {generation, sequence, received_ms};
    return true;
}

void Freshness::forget(DeviceNumber device, SpecId spec) {
    last_.erase(key(device, spec));
}

}  // namespace lanyard::observation
