#include "base/timer_wheel.hpp"

#include <algorithm>

namespace lanyard {

TimerWheel::TimerWheel(SteadyTime origin, Duration tick) : origin_(origin), tick_(tick) {
    LANYARD_ASSERT(tick.count() > 0);
    heads_.fill(kNone);
}

std::uint64_t TimerWheel::floor_tick(SteadyTime time) const {
    return time <= origin_ ? 0 : static_cast<std::uint64_t>((time - origin_) / tick_);
}

// A deadline lies at most kMaxDelayTicks ahead of the wheel, so its low bits name it.
std::uint64_t TimerWheel::deadline_tick(Id id) const {
    return now_tick_ + (nodes_[id].deadline - static_cast<std::uint32_t>(now_tick_));
}

void TimerWheel::schedule(Id id, SteadyTime deadline) {
    LANYARD_ASSERT(id < kSlotFlag);
    if (id >= nodes_.size()) nodes_.resize(std::size_t{id} + 1);
    if (nodes_[id].prev != kIdle) unlink(id);
    std::uint64_t tick = floor_tick(deadline);
    if (deadline > origin_ && (deadline - origin_) % tick_ != Duration::zero()) ++tick;
    tick = std::clamp(tick, now_tick_ + 1, now_tick_ + kMaxDelayTicks);
    nodes_[id].deadline = static_cast<std::uint32_t>(tick);
    link(id, tick);
}

bool TimerWheel::cancel(Id id) {
    if (!is_scheduled(id)) return false;
    unlink(id);
    return true;
}

// The level is that of the highest digit (base 64) in which the deadline differs from now, as in Tokio's wheel:
// within a level the slots of all timers then lie ahead of the current digit and never wrap.
void TimerWheel::link(Id id, std::uint64_t tick) {
    const std::uint64_t differing = (tick ^ now_tick_) | (kSlots - 1);
    const unsigned level = (63U - static_cast<unsigned>(std::countl_zero(differing))) / kSlotBits;
    LANYARD_ASSERT(level < kLevels);
    const auto digit = static_cast<std::uint32_t>((tick >> (level * kSlotBits)) & (kSlots - 1));
    const std::uint32_t slot = level * kSlots + digit;
    Node& node = nodes_[id];
    node.prev = kSlotFlag | slot;
    node.next = heads_[slot];
    if (node.next != kNone) nodes_[node.next].prev = id;
    heads_[slot] = id;
    occupied_[level] |= std::uint64_t{1} << digit;
    ++size_;
}

void TimerWheel::unlink(Id id) {
    Node& node = nodes_[id];
    if (node.next != kNone) nodes_[node.next].prev = node.prev;
    if ((node.prev & kSlotFlag) != 0) {
        const std::uint32_t slot = node.prev & ~kSlotFlag;
        heads_[slot] = node.next;
        if (node.next == kNone) occupied_[slot / kSlots] &= ~(std::uint64_t{1} << (slot % kSlots));
    } else {
        nodes_[node.prev].next = node.next;
    }
    node.prev = kIdle;
    --size_;
}

std::optional<TimerWheel::Slot> TimerWheel::first_slot() const {
    for (unsigned level = 0; level < kLevels; ++level) {
        if (occupied_[level] == 0) continue;
        const auto digit = static_cast<std::uint32_t>(std::countr_zero(occupied_[level]));
        const unsigned shift = level * kSlotBits;
        const std::uint64_t above = now_tick_ >> (shift + kSlotBits) << (shift + kSlotBits);
        return Slot{level * kSlots + digit, above | (std::uint64_t{digit} << shift)};
    }
    return std::nullopt;
}

std::optional<TimerWheel::Id> TimerWheel::take_first(const Slot& slot) {
    const std::uint32_t id = heads_[slot.index];
    if (id == kNone) return std::nullopt;
    unlink(id);
    return id;
}

std::optional<SteadyTime> TimerWheel::next_deadline() const {
    const std::optional<Slot> slot = first_slot();
    if (!slot) return std::nullopt;
    return origin_ + tick_ * static_cast<Duration::rep>(slot->tick);
}

}  // namespace lanyard
