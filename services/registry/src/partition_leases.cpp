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

void PartitionLeases::round() {
    const SteadyTime asked = clock_().steady;
    // Nobody answered for too long: other replicas may hold them by now.
    if (asked >= until_) lose_all();
    give_back();
    if (leaving_) return;
    store_.heartbeat(replica_, milliseconds(config_.ttl),
                     guarded<Heartbeat>([asked](PartitionLeases& self, Result<Heartbeat> heartbeat) {
                         if (heartbeat) self.on_heartbeat(asked, *heartbeat);
                     }));
}

void PartitionLeases::on_heartbeat(SteadyTime asked, const Heartbeat& heartbeat) {
    // Forgotten by the others, or the store lost its data.
    if (!heartbeat.was_known) lose_all();
    until_ = asked + config_.ttl;
    live_ = heartbeat.live;
    ++heartbeats_;
    if (!retired_) on_replicas();
}

void PartitionLeases::retire() {
    retired_ = true;
    quota_ = 0;
    give_back();
}

// Only when nothing is held any more: without heartbeats the leases are free for the others.
void PartitionLeases::say_goodbye() {
    leaving_ = true;
    store_.retire(replica_, guarded<void>([](PartitionLeases& self, Result<void>) { self.gone_ = true; }));
}

void PartitionLeases::on_replicas() {
    const auto me = std::find(live_.begin(), live_.end(), replica_);
    if (me == live_.end()) return;
    const auto rank = static_cast<std::size_t>(me - live_.begin());
    const std::size_t share = identity::kPartitions / live_.size();
    const std::size_t rest = identity::kPartitions % live_.size();
    quota_ = share + (rank < rest ? 1 : 0);
    first_ = static_cast<std::uint32_t>(rank * share + std::min(rank, rest));
    give_back();
    if (!taking_) take_from(0);
}

void PartitionLeases::lose(std::uint32_t partition) {
    leave(partition);
    slots_[partition].state = State::free;
}

void PartitionLeases::lose_all() {
    for (std::uint32_t partition = 0; partition < identity::kPartitions; ++partition) lose(partition);
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
    const bool empty =
        std::all_of(slots_.begin(), slots_.end(), [](const Slot& slot) { return slot.state == State::free; });
    if (retired_ && empty && !leaving_) say_goodbye();
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
    const std::uint32_t partition = at(offset);
    store_.take_lease(partition, replica_, dead_holder(slots_[partition]),
                      guarded<std::string>([offset, partition](PartitionLeases& self, Result<std::string> holder) {
                          self.taking_ = false;
                          if (!holder) return;
                          self.on_taken(partition, std::move(*holder));
                          self.take_from(offset + 1);
                      }));
}

// A replica takes leases only after a heartbeat, so a holder that a later heartbeat does not name is dead.
std::string PartitionLeases::dead_holder(const Slot& slot) const {
    const bool live = std::find(live_.begin(), live_.end(), slot.holder) != live_.end();
    return live || slot.holder_seen == heartbeats_ ? replica_ : slot.holder;
}

void PartitionLeases::on_taken(std::uint32_t partition, std::string holder) {
    Slot& slot = slots_[partition];
    if (holder != replica_) {
        slot.holder = std::move(holder);
        slot.holder_seen = heartbeats_;
    } else if (retired_) {
        release(partition);
    } else if (slot.state == State::free) {
        slot.state = State::held;
        slot.holder.clear();
        events_.changed(partition, true);
    }
}

}  // namespace lanyard::registry
