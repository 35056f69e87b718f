#include "partition_leases.hpp"

#include <algorithm>
#include <chrono>

namespace lanyard::registry {
namespace {

std::chrono::milliseconds milliseconds(Duration duration) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(duration);
}

}  // namespace

PartitionLeases::PartitionLeases(DeviceStore& store, std::string replica, LeaseConfig config, Events events,
                                 Clock clock)
    : store_(store),
      replica_(std::move(replica)),
      config_(config),
      events_(std::move(events)),
      clock_(std::move(clock)),
      alive_(std::make_shared<PartitionLeases*>(this)) {}

PartitionLeases::~PartitionLeases() {
    *alive_ = nullptr;
}

template <class T, class Call>
Done<T> PartitionLeases::guarded(Call call) {
    return [alive = alive_, call](Result<T> result) mutable {
        if (*alive) call(**alive, std::move(result));
    };
}

std::size_t PartitionLeases::held() const {
    return static_cast<std::size_t>(
        std::count_if(slots_.begin(), slots_.end(), [](const Slot& slot) { return slot.state == State::held; }));
}

bool PartitionLeases::empty() const {
    return std::all_of(slots_.begin(), slots_.end(), [](const Slot& slot) { return slot.state == State::free; });
}

void PartitionLeases::round() {
    lose_overdue();
    for (std::uint32_t partition = 0; partition < identity::kPartitions; ++partition) {
        if (slots_[partition].state != State::free) renew(partition);
    }
    give_back();
    if (retired_) return;
    store_.heartbeat(
        replica_, clock_().wall_ms, milliseconds(config_.ttl),
        guarded<std::vector<std::string>>([](PartitionLeases& self, Result<std::vector<std::string>> live) {
            if (live) self.on_replicas(*live);
        }));
}

void PartitionLeases::retire() {
    retired_ = true;
    quota_ = 0;
    store_.retire(replica_, guarded<void>([](PartitionLeases&, Result<void>) {}));
    give_back();
}

void PartitionLeases::on_replicas(const std::vector<std::string>& live) {
    if (retired_) return;
    const auto me = std::find(live.begin(), live.end(), replica_);
    if (me == live.end()) return;
    const auto rank = static_cast<std::size_t>(me - live.begin());
    const std::size_t share = identity::kPartitions / live.size();
    const std::size_t rest = identity::kPartitions % live.size();
    quota_ = share + (rank < rest ? 1 : 0);
    first_ = static_cast<std::uint32_t>(rank * share + std::min(rank, rest));
    give_back();
    if (!taking_) take_from(0);
}

void PartitionLeases::renew(std::uint32_t partition) {
    const SteadyTime asked = clock_().steady;
    store_.acquire_lease(partition, replica_, milliseconds(config_.ttl),
                         guarded<bool>([partition, asked](PartitionLeases& self, Result<bool> renewed) {
                             Slot& slot = self.slots_[partition];
                             if (slot.state == State::free || !renewed) return;
                             if (*renewed) {
                                 slot.until = asked + self.config_.ttl;
                             } else {
                                 self.leave(partition);
                                 slot.state = State::free;
                             }
                         }));
}

// Nobody answered for too long: another replica may hold it by now.
void PartitionLeases::lose_overdue() {
    const SteadyTime now = clock_().steady;
    for (std::uint32_t partition = 0; partition < identity::kPartitions; ++partition) {
        Slot& slot = slots_[partition];
        if (slot.state == State::free || now < slot.until) continue;
        leave(partition);
        slot.state = State::free;
    }
}

void PartitionLeases::leave(std::uint32_t partition) {
    Slot& slot = slots_[partition];
    if (slot.state != State::held) return;
    slot.state = State::leaving;
    events_.changed(partition, false);
}

void PartitionLeases::give_back() {
    for (std::uint32_t i = identity::kPartitions; i-- > 0 && held() > quota_;) {
        if (slots_[at(i)].state == State::held) leave(at(i));
    }
    for (std::uint32_t partition = 0; partition < identity::kPartitions; ++partition) {
        if (slots_[partition].state == State::leaving && events_.may_release(partition)) release(partition);
    }
}

void PartitionLeases::release(std::uint32_t partition) {
    slots_[partition].state = State::free;
    store_.release_lease(partition, replica_, guarded<void>([](PartitionLeases&, Result<void>) {}));
}

std::uint32_t PartitionLeases::at(std::uint32_t offset) const {
    return (first_ + offset) % identity::kPartitions;
}

void PartitionLeases::take_from(std::uint32_t offset) {
    while (offset < identity::kPartitions && slots_[at(offset)].state != State::free) ++offset;
    taking_ = !retired_ && offset < identity::kPartitions && held() < quota_;
    if (!taking_) return;
    const SteadyTime asked = clock_().steady;
    store_.acquire_lease(at(offset), replica_, milliseconds(config_.ttl),
                         guarded<bool>([offset, asked](PartitionLeases& self, Result<bool> acquired) {
                             self.on_acquired(offset, asked, std::move(acquired));
                         }));
}

void PartitionLeases::on_acquired(std::uint32_t offset, SteadyTime asked, Result<bool> acquired) {
    taking_ = false;
    if (!acquired) return;
    const std::uint32_t partition = at(offset);
    if (*acquired && retired_) {
        release(partition);
    } else if (*acquired && slots_[partition].state == State::free) {
        slots_[partition] = {State::held, asked + config_.ttl};
        events_.changed(partition, true);
    }
    take_from(offset + 1);
}

}  // namespace lanyard::registry
