#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "base/hash.hpp"
#include "base/time.hpp"
#include "dialect_table.hpp"
#include "identity/resource_name.hpp"

namespace lanyard::registry {

// Where a device's session is, and how to talk to it.
struct KnownDevice {
    identity::DeviceNumber number;
    std::uint32_t generation = 0;
    std::uint32_t epoch = 0;
    std::uint32_t node = 0;
    std::uint16_t shard = 0;
    DialectTable::Dialect dialect;
};

// The registered devices of which this replica heard last, by Registers, Updates and look-ups: a request to one of
// them, mostly made soon after it has registered, costs no look-up in the store.
//
// What it gives is a hint, for another replica may know better. The ingress checks generation and epoch, and whoever is
// refused on a hint forgets it and asks the store. A place takes 40 bytes; their number grows with that of the devices
// up to `max`, then new devices take the places of others. Thread-safe.
class KnownDevices {
  public:
    // A device's place, made once for an answer that comes later.
    struct Key {
        std::uint64_t tag = 0;
        std::uint32_t dialect = 0;
    };

    // `max` is rounded up to a power of two; 0 keeps nothing. What is older than `keep` is not given.
    KnownDevices(std::size_t max, Duration keep);

    [[nodiscard]] Key key_of(const identity::DeviceName& name, const RegistrationInfo& registration);
    void put(const Key& key, const KnownDevice& device, SteadyTime now);
    // What the store says of a device: kept when it is registered, else forgotten. Gives its dialect.
    DialectTable::Dialect put(const DeviceRecord& record, SteadyTime now);
    [[nodiscard]] std::optional<KnownDevice> find(const identity::DeviceName& name, SteadyTime now) const;
    void forget(const identity::DeviceName& name);
    [[nodiscard]] std::size_t size() const;

  private:
    struct Slot {
        std::uint64_t tag = 0;  // keyed hash of the name, the only trace of it; 0: empty
        std::uint32_t number = 0;
        std::uint32_t generation = 0;
        std::uint32_t epoch = 0;
        std::uint32_t node = 0;
        std::uint32_t dialect = 0;
        std::uint32_t put_s = 0;
        std::uint16_t shard = 0;
    };
    // A device stands in one of the places of its set.
    static constexpr std::size_t kWays = 4;
    using Set = std::array<Slot, kWays>;

    [[nodiscard]] std::uint64_t tag_of(const identity::DeviceName& name) const;
    [[nodiscard]] const Set& set_of(std::uint64_t tag) const { return sets_[tag & (sets_.size() - 1)]; }
    [[nodiscard]] Set& set_of(std::uint64_t tag) { return sets_[tag & (sets_.size() - 1)]; }
    // True when the place was empty.
    static bool place(Set& set, const Slot& slot);
    void forget(std::uint64_t tag);
    void grow();

    const std::size_t sets_max_;
    const Duration keep_;
    const SipKey hash_key_;
    DialectTable dialects_;

    mutable std::mutex mutex_;
    std::vector<Set> sets_;
    std::size_t used_ = 0;
};

}  // namespace lanyard::registry
