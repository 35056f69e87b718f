#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "registry/config.hpp"
#include "registry/device_store.hpp"

namespace lanyard::registry {

// Holds this replica's fair share of the partition leases: 64 divided by the replicas that live.
//
// A lease belongs to a replica for as long as that replica's heartbeats arrive: one command renews all. round() sends
// the heartbeat, gives back what is too much and takes what is free or belongs to a replica that fell silent. Without
// an answer for LeaseConfig::ttl all leases count as lost. All on the service's loop.
class PartitionLeases {
  public:
    struct Events {
        // A partition came or went.
        std::function<void(std::uint32_t partition, bool held)> changed;
        // May the lease be given back now? Asked after changed(partition, false).
        std::function<bool(std::uint32_t partition)> may_release;
    };
    using Clock = std::function<Now()>;

    PartitionLeases(DeviceStore& store, std::string replica, LeaseConfig config, Events events, Clock clock);
    ~PartitionLeases();
    PartitionLeases(const PartitionLeases&) = delete;
    PartitionLeases& operator=(const PartitionLeases&) = delete;

    // To be called every LeaseConfig::renew.
    void round();
    // Takes no more leases, gives all back as soon as may_release allows (asked in each round).
    void retire();
    // The store says that somebody else holds it. It is asked for again in the next round.
    void lose(std::uint32_t partition);
    [[nodiscard]] bool holds(std::uint32_t partition) const { return slots_[partition].state == State::held; }
    [[nodiscard]] std::size_t held() const;
    // Retired, and the others know.
    [[nodiscard]] bool gone() const { return gone_; }

  private:
    enum class State : std::uint8_t { free, held, leaving };
    struct Slot {
        State state = State::free;
        std::string holder;             // another replica that held it when last asked
        std::uint64_t holder_seen = 0;  // heartbeats answered until then
    };

    void on_heartbeat(SteadyTime asked, const Heartbeat& heartbeat);
    void on_replicas();
    void lose_all();
    void give_back();
    void say_goodbye();
    // The holder of a slot if it has not been live since it was seen.
    [[nodiscard]] std::string dead_holder(const Slot& slot) const;
    void release(std::uint32_t partition);
    void leave(std::uint32_t partition);
    // Asks for the leases from `partition` on, one after the other, until the quota is reached.
    void take_from(std::uint32_t offset);
    void on_taken(std::uint32_t partition, std::string holder);
    [[nodiscard]] std::uint32_t at(std::uint32_t offset) const;
    template <class T, class Call>
    Done<T> guarded(Call call);

    DeviceStore& store_;
    const std::string replica_;
    const LeaseConfig config_;
    const Events events_;
    const Clock clock_;
    std::array<Slot, identity::kPartitions> slots_;
    SteadyTime until_;               // the leases are good until then
    std::vector<std::string> live_;  // by the last heartbeat
    std::uint64_t heartbeats_ = 0;   // answered
    std::size_t quota_ = 0;
    std::uint32_t first_ = 0;  // where taking begins, so that replicas do not ask for the same ones
    bool taking_ = false;
    bool retired_ = false;
    bool leaving_ = false;  // the others are being told
    bool gone_ = false;
    std::shared_ptr<PartitionLeases*> alive_;
};

}  // namespace lanyard::registry
