#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "device/fleet.hpp"
#include "simulator/histogram.hpp"
#include "simulator/options.hpp"

namespace lanyard::simulator {

// What one kind of exchange has come to. `errors` is by response code ("4.04"), "timeout" or "reset".
struct ExchangeTotals {
    std::uint64_t sent = 0;
    std::uint64_t acknowledged = 0;
    std::map<std::string, std::uint64_t> errors;
    Histogram latency;  // of those acknowledged
};

// Figures of one load phase.
struct LoadResult {
    LoadPhase phase;
    double seconds = 0;
    ExchangeTotals totals;
    std::uint64_t retransmissions = 0;
    std::uint64_t held_back = 0;   // open loop: not sent in time, because `window` were outstanding
    std::uint64_t unanswered = 0;  // still outstanding when the phase was over
    double loader_cpu_seconds = 0;
    std::uint64_t sent_bytes = 0;  // UDP payload, retransmissions included
    std::uint64_t received_bytes = 0;
};

// How far the fleet is; given once a second.
struct Progress {
    double seconds = 0;  // since the start
    std::size_t count = 0;
    device::FleetCounters fleet;
    double last_temperature = 0;
    std::string last_endpoint;
    // During load.
    const LoadResult* load = nullptr;
    double acknowledged_per_s = 0;  // in the last second, all kinds
};

struct SimulateSummary {
    double seconds = 0;
    std::size_t count = 0;
    double seconds_until_registered = 0;  // 0: never were all of them
    device::FleetCounters fleet;
    std::uint64_t send_dropped = 0;  // by the kernel
    std::map<device::ExchangeKind, ExchangeTotals> exchanges;
    std::optional<LoadResult> load;
};

// All are called on the thread that runs simulate(); any may be empty.
struct SimulateCallbacks {
    std::function<void(const Progress&)> on_progress;
    std::function<void()> on_registered;
    // Asked every few milliseconds when no phase runs: the next phase, if any; `finished` ends the simulation.
    struct Next {
        std::optional<LoadPhase> phase;
        bool finished = false;
    };
    std::function<Next()> next_phase;
    std::function<void(const LoadResult&)> on_phase;
};

// Plays a fleet of devices against one CoAP server until it is done or `stop` becomes true (it then ends within a
// second). One thread, one socket for all devices when the target is loopback IPv4: device n then has the source
// address 127.64.0.0 + n. Otherwise a socket for each device.
//
// Errors: invalid_argument as validate(); unavailable when a socket or the log file cannot be opened;
// failed_precondition when the load cannot begin (not all devices registered or observed in time).
[[nodiscard]] Result<SimulateSummary> simulate(const SimulateOptions& options, const SimulateCallbacks& callbacks,
                                               const std::atomic<bool>& stop);

}  // namespace lanyard::simulator
