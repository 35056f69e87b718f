#pragma once

#include <algorithm>
#include <chrono>

#include "base/time.hpp"

namespace lanyard::runtime {

// A point in steady time by which something must be over. Overflow is handled here once: adding too much gives
// never(), and what is left of a passed deadline is zero.
class Deadline {
  public:
    // Never passes.
    static Deadline never() { return Deadline(SteadyTime::max()); }
    static Deadline at(SteadyTime when) { return Deadline(when); }
    static Deadline after(Duration span, SteadyTime now) {
        if (span <= Duration::zero()) return Deadline(now);
        return span > SteadyTime::max() - now ? never() : Deadline(now + span);
    }
    // From now on, by the real clock.
    static Deadline in(Duration span) { return after(span, std::chrono::steady_clock::now()); }

    [[nodiscard]] SteadyTime when() const { return when_; }
    [[nodiscard]] bool is_never() const { return when_ == SteadyTime::max(); }
    [[nodiscard]] bool expired(SteadyTime now) const { return now >= when_; }
    [[nodiscard]] bool expired() const { return expired(std::chrono::steady_clock::now()); }
    // Never negative; Duration::max() for never().
    [[nodiscard]] Duration remaining(SteadyTime now) const {
        if (is_never()) return Duration::max();
        return expired(now) ? Duration::zero() : when_ - now;
    }
    [[nodiscard]] Duration remaining() const { return remaining(std::chrono::steady_clock::now()); }

    friend bool operator==(Deadline, Deadline) = default;
    friend auto operator<=>(Deadline, Deadline) = default;
    // The one that passes first.
    friend Deadline min(Deadline a, Deadline b) { return a.when_ < b.when_ ? a : b; }

  private:
    explicit Deadline(SteadyTime when) : when_(when) {}
    SteadyTime when_;
};

}  // namespace lanyard::runtime
