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
// round() renews what is held, gives back what is too much and takes what is free. A lease that could not be renewed
// for its length counts as lost. All on the service's loop.
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
    [[nodiscard]] bool holds(std::uint32_t partition) const { return slots_[partition].state == State::held; }
    [[nodiscard]] std::size_t held() const;
    // Nothing is held or on its way back.
    [[nodiscard]] bool empty() const;

  private:
    enum class State : std::uint8_t { free, held, leaving };
    struct Slot {
        State state = State::free;
        SteadyTime until;
    };

    void on_replicas(const std::vector<std::string>& live);
    void renew(std::uint32_t partition);
    void lose_overdue();
    void give_back();
    void release(std::uint32_t partition);
    void leave(std::uint32_t partition);
    // Asks for the leases from `partition` on, one after the other, until the quota is reached.
    void take_from(std::uint32_t offset);
    void on_acquired(std::uint32_t offset, SteadyTime asked, Result<bool> acquired);
    [[nodiscard]] std::uint32_t at(std::uint32_t offset) const;
    template <class T, class Call>
    Done<T> guarded(Call call);

    DeviceStore& store_;
    const std::string replica_;
    const LeaseConfig config_;
    const Events events_;
    const Clock clock_;
    std::array<Slot, identity::kPartitions> slots_;
    std::size_t quota_ = 0;
    std::uint32_t first_ = 0;  // where taking begins, so that replicas do not ask for the same ones
    bool taking_ = false;
    bool retired_ = false;
    std::shared_ptr<PartitionLeases*> alive_;
};

}  // namespace lanyard::registry
