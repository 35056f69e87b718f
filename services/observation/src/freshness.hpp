#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "base/time.hpp"
#include "observation/types.hpp"

namespace lanyard::observation {

// Tells whether a notification is newer than all before it of the same observation (RFC 7641 section 3.4). Both
// are kept, an older one is only marked. Remembers at most `max` observations; when full it forgets all, and the next
// notification of each counts as fresh. Not thread-safe.
class Freshness {
  public:
    explicit Freshness(std::size_t max) : max_(max) {}

    // Also true for the same sequence number again: that is the same notification, read twice.
    bool observe(DeviceNumber device, SpecId spec, std::uint32_t generation, std::uint32_t sequence,
                 UnixMillis received_ms);
    void forget(DeviceNumber device, SpecId spec);
    void clear() { last_.clear(); }
    [[nodiscard]] std::size_t size() const { return last_.size(); }

  private:
    struct Last {
        std::uint32_t generation = 0;
        std::uint32_t sequence = 0;
        UnixMillis received_ms = 0;
    };
    static std::uint64_t key(DeviceNumber device, SpecId spec) { return (std::uint64_t{device.value} << 16) | spec; }

    std::size_t max_;
    std::unordered_map<std::uint64_t, Last> last_;
};

}  // namespace lanyard::observation
