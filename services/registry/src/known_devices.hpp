#pragma once

#include <cstdint>
#include <mutex>
#include <optional>

#include <absl/container/flat_hash_map.h>

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

// The registered devices that this replica has looked up lately, since who asks a device for something mostly asks for
// more: the next request to it costs no look-up in the store.
//
// What it gives is a hint, for another replica may know better. The ingress checks generation and epoch, and whoever is
// refused on a hint forgets it and asks the store. A device takes 50 to 100 bytes; when there are too many, those that
// were not looked up for longest go. Thread-safe.
class KnownDevices {
  public:
    // At most `max` devices; 0 keeps nothing. What is older than `keep` is not given.
    KnownDevices(std::size_t max, Duration keep);

    // What the store says of a device: kept when it is registered, else forgotten.
    KnownDevice put(const DeviceRecord& record, SteadyTime now);
    [[nodiscard]] std::optional<KnownDevice> find(const identity::DeviceName& name, SteadyTime now) const;
    void forget(const identity::DeviceName& name);
    [[nodiscard]] std::size_t size() const;

  private:
    struct Place {
        std::uint32_t number = 0;
        std::uint32_t generation = 0;
        std::uint32_t epoch = 0;
        std::uint32_t node = 0;
        std::uint32_t dialect = 0;
        std::uint32_t put_s = 0;
        std::uint16_t shard = 0;
    };
    // A tag is a hash already.
    struct TagHash {
        std::size_t operator()(std::uint64_t tag) const { return tag; }
    };
    // By the keyed hash of the name, which is the only trace of it.
    using Places = absl::flat_hash_map<std::uint64_t, Place, TagHash>;

    [[nodiscard]] std::uint64_t tag_of(const identity::DeviceName& name) const;
    void keep(std::uint64_t tag, const Place& place);
    void forget(std::uint64_t tag);

    const std::size_t max_;
    const Duration keep_;
    const SipKey hash_key_;
    DialectTable dialects_;

    mutable std::mutex mutex_;
    Places recent_;
    Places former_;  // what `recent_` was before it was full
};

}  // namespace lanyard::registry
