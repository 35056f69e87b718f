#pragma once

#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/assert.hpp"
#include "base/time.hpp"

namespace lanyard {

// Timers of one thread in a hierarchical wheel (Varghese, Lauck 1987): seven levels of 64 slots, 12 bytes a timer.
//
// The caller names a timer by a small dense id, usually the index of the record it belongs to; the wheel grows to
// the greatest id used and allocates nothing else. schedule(), cancel() and reschedule are O(1); advance() costs
// O(1) per expired timer however far time jumps. Deadlines are rounded up to whole ticks: a timer never fires
// early, and at most one tick late. A deadline that has passed fires on the next tick.
//
// Delays beyond max_delay() (2^31 ticks: 24 days with the default tick of 1 ms) are cut to it; whoever needs
// longer ones schedules again when the timer fires. Not thread-safe.
class TimerWheel {
  public:
    using Id = std::uint32_t;

    // `origin` is the time of tick 0; times before it count as it.
    explicit TimerWheel(SteadyTime origin, Duration tick = std::chrono::milliseconds(1));

    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] bool is_scheduled(Id id) const { return id < nodes_.size() && nodes_[id].prev != kIdle; }
    [[nodiscard]] Duration tick() const { return tick_; }
    [[nodiscard]] Duration max_delay() const { return tick_ * kMaxDelayTicks; }

    // Arms the timer, or moves it if it is armed.
    void schedule(Id id, SteadyTime deadline);
    // False if it was not armed.
    bool cancel(Id id);
    // Makes room for ids below `count`.
    void reserve(std::size_t count) { nodes_.reserve(count); }

    // When advance() has to be called next: not later than the first deadline, rarely earlier (a cascade).
    [[nodiscard]] std::optional<SteadyTime> next_deadline() const;

    // Disarms every timer due at `now` and calls expired(id) for each, in order of their ticks. The callback may
    // schedule and cancel any timer; what it schedules fires in a later tick, possibly within this call.
    template <class Expired>
    void advance(SteadyTime now, Expired expired) {
        const std::uint64_t target = floor_tick(now);
        while (const std::optional<Slot> slot = first_slot()) {
            if (slot->tick > target) break;
            now_tick_ = slot->tick;
            while (const std::optional<Id> id = take_first(*slot)) {
                if (nodes_[*id].deadline == static_cast<std::uint32_t>(now_tick_)) {
                    expired(*id);
                } else {
                    link(*id, deadline_tick(*id));
                }
            }
        }
        if (target > now_tick_) now_tick_ = target;
    }

  private:
    static constexpr unsigned kSlotBits = 6;
    static constexpr unsigned kSlots = 1U << kSlotBits;
    static constexpr unsigned kLevels = 7;  // 2^42 ticks of 1 ms are 139 years of process life
    static constexpr std::uint32_t kMaxDelayTicks = 0x7fffffff;
    static constexpr std::uint32_t kNone = 0xffffffff;
    static constexpr std::uint32_t kIdle = 0xfffffffe;
    // `prev` of the first timer of a slot names the slot instead of a timer.
    static constexpr std::uint32_t kSlotFlag = 0x80000000;

    struct Node {
        std::uint32_t next = kNone;
        std::uint32_t prev = kIdle;
        std::uint32_t deadline = 0;  // low bits of the tick
    };
    struct Slot {
        std::uint32_t index;
        std::uint64_t tick;
    };

    [[nodiscard]] std::uint64_t floor_tick(SteadyTime time) const;
    [[nodiscard]] std::uint64_t deadline_tick(Id id) const;
    [[nodiscard]] std::optional<Slot> first_slot() const;
    std::optional<Id> take_first(const Slot& slot);
    void link(Id id, std::uint64_t tick);
    void unlink(Id id);

    SteadyTime origin_;
    Duration tick_;
    std::uint64_t now_tick_ = 0;
    std::size_t size_ = 0;
    std::vector<Node> nodes_;
    std::array<std::uint64_t, kLevels> occupied_{};
    std::array<std::uint32_t, kLevels * kSlots> heads_;
};

}  // namespace lanyard
