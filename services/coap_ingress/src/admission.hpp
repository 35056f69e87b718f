#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.hpp"

namespace lanyard::coap_ingress {

struct AdmissionConfig {
    // Registers that may await the registry's answer at once.
    std::size_t window_max = 4096;
    // Answers to Registers should take no longer.
    Duration answer_time = std::chrono::milliseconds(500);
    // Bounds of the wait that a refused device is told, whole seconds.
    Duration retry_min = std::chrono::seconds(5);
    Duration retry_max = std::chrono::minutes(5);
};

// Decides which Registers of a shard go on to the registry, by the time in which the registry answers, and when the
// others shall come again (docs/adr/0008). Reads no clock, draws no random numbers.
class Admission {
  public:
    Admission(const AdmissionConfig& config, SteadyTime start);

    // No further Register may be sent now. Asked for each that arrives.
    [[nodiscard]] bool full();
    // One was sent at `now`.
    void sent() { ++pending_; }
    // The answer to one that was sent at `sent_at`; `stored` is false when the registry could not do it.
    void answered(SteadyTime sent_at, SteadyTime now, bool stored);
    // Max-Age in seconds for a Register that is refused now: the next free place among those who come again. `random`
    // is used only when all places up to retry_max are taken.
    [[nodiscard]] std::uint32_t retry_after(SteadyTime now, std::uint64_t random);

    [[nodiscard]] std::size_t window() const { return window_; }
    [[nodiscard]] std::size_t pending() const { return pending_; }

  private:
    void end_round(SteadyTime now);

    const AdmissionConfig config_;
    std::size_t window_;
    std::size_t pending_ = 0;
    SteadyTime next_place_;
    // A round: what was seen of the Registers sent since its begin.
    SteadyTime round_began_;
    bool was_full_ = false;
    std::size_t answers_ = 0;
    Duration answer_times_{0};
};

}  // namespace lanyard::coap_ingress
