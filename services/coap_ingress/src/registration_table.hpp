#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/flat_map.hpp"
#include "coap/peer.hpp"
#include "lwm2m/version.hpp"
#include "object_lists.hpp"
#include "text_arena.hpp"

namespace lanyard::coap_ingress {

// Seconds of steady time since the shard began: what records hold instead of time points.
using ShardSeconds = std::uint32_t;

// A registration whose session this shard owns. Kept small: there are up to a million of them.
struct Device {
    std::uint32_t number = 0;
    std::uint32_t generation = 0;
    std::uint32_t epoch = 0;
    std::uint32_t pledge_s = 0;    // Unix seconds; what the registry has promised not to expire before; 0 never
    std::uint32_t lifetime_s = 0;  // 0 never expires
    ShardSeconds renewed = 0;      // last Register or Update
    ShardSeconds heard = 0;        // last message of any kind
    coap::PeerId peer;             // listener 0xffffffff while the address is not known
    TextRef endpoint;
    std::uint16_t tenant = 0;   // interned
    std::uint16_t root = 0;     // interned
    std::uint16_t objects = 0;  // interned
    lwm2m::Version version;
    std::uint8_t transports = 0;  // bits of lwm2m::Transports; 0 while not known
    bool queue_mode : 1 = false;
    bool touched : 1 = false;   // waits for the next Touch
    bool expiring : 1 = false;  // told to the registry as expired; no Update is acknowledged from memory
    bool in_use : 1 = false;

    std::uint32_t next_by_peer = 0;  // of RegistrationTable
};
static_assert(sizeof(Device) <= 80);

// A peer that has not shown its address yet (a registration taken over by a message that proved false).
inline constexpr std::uint32_t kNoListener = 0xffffffff;

// What a registration is made of.
struct DeviceInfo {
    std::uint32_t number = 0;
    std::uint32_t generation = 0;
    std::uint32_t epoch = 0;
    std::uint32_t pledge_s = 0;
    std::uint32_t lifetime_s = 0;
    bool queue_mode = false;
    lwm2m::Version version;
    std::string_view tenant;
    std::string_view endpoint;
    std::string_view root_path;
    std::uint16_t objects = ObjectLists::kNotKept;  // of keep_objects()
};

// All registrations of a shard: records in chunks that never move, found by device number and by peer.
//
// References to devices stay valid until erase(). Nothing is allocated except when a device is added. Not
// thread-safe.
class RegistrationTable {
  public:
    // Index of a record: dense, reused; also the id of its timer.
    using Slot = std::uint32_t;

    // `seed` is secret: peers choose their addresses.
    explicit RegistrationTable(std::uint64_t seed);

    [[nodiscard]] std::size_t size() const { return by_number_.size(); }
    [[nodiscard]] Device* find(std::uint32_t number) {
        const Slot* slot = by_number_.find(number);
        return slot == nullptr ? nullptr : &at(*slot);
    }
    // Null when there is none. `ambiguous` is set when several registrations share the peer.
    [[nodiscard]] Device* find_by_peer(const coap::PeerId& peer, bool& ambiguous);
    [[nodiscard]] Device& at(Slot slot) { return chunks_[slot / kChunk][slot % kChunk]; }
    [[nodiscard]] Slot slot_of(const Device& device) const { return *by_number_.find(device.number); }

    // Adds a device or replaces what is known of it; times and flags are left to the caller. Null when there is no
    // room for another tenant or root path text.
    Device* put(const DeviceInfo& info, const coap::PeerId& peer);
    void rebind(Device& device, const coap::PeerId& peer);
    void erase(Device& device);

    [[nodiscard]] std::string_view tenant(const Device& device) const { return texts_.view(device.tenant); }
    [[nodiscard]] std::string_view root_path(const Device& device) const { return texts_.view(device.root); }
    [[nodiscard]] std::string_view endpoint(const Device& device) const { return arena_.view(device.endpoint); }

    // `ids` ascend.
    [[nodiscard]] std::uint16_t keep_objects(std::span<const std::uint32_t> ids) { return objects_.intern(ids); }
    // Whether the device has registered the object. Also true when its list is not kept (ObjectLists).
    [[nodiscard]] bool has_object(const Device& device, std::uint16_t object) const {
        return objects_.contains(device.objects, object);
    }

    template <class Visit>
    void for_each(Visit visit) {
        by_number_.for_each([&](std::uint32_t, Slot slot) { visit(at(slot)); });
    }

  private:
    static constexpr Slot kChunk = 1024;
    static constexpr Slot kNone = 0xffffffff;

    Slot take_slot();
    void link_peer(Slot slot);
    void unlink_peer(Slot slot);
    void grow_peers();
    [[nodiscard]] std::size_t bucket_of(const coap::PeerId& peer) const {
        return static_cast<std::size_t>(hash_(peer)) & (heads_.size() - 1);
    }

    coap::PeerHash hash_;
    std::vector<std::unique_ptr<Device[]>> chunks_;
    std::vector<Slot> free_;
    FlatMap<std::uint32_t, Slot> by_number_;
    std::vector<Slot> heads_;  // chains by peer through Device::next_by_peer
    TextArena arena_;
    Interner texts_;
    ObjectLists objects_;
};

}  // namespace lanyard::coap_ingress
