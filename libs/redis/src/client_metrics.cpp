#include "client_metrics.hpp"

#include <utility>

namespace lanyard::redis {

ClientMetrics::ClientMetrics(telemetry::MetricRegistry* registry, std::function<Stats()> read)
    : read_(std::move(read)) {
    if (registry == nullptr) return;
    const auto commands = [&](const char* result, std::uint64_t Stats::*field) {
        callbacks_.push_back(
            registry->counter_callback("lanyard_redis_commands_total", "Commands to Redis, by what became of them.",
                                       {{"result", result}}, [this, field] { return read_().*field; }));
    };
    commands("answered", &Stats::replies);
    commands("timeout", &Stats::timeouts);
    commands("lost", &Stats::lost);
    commands("rejected", &Stats::rejected);
    callbacks_.push_back(registry->counter_callback("lanyard_redis_reconnects_total",
                                                    "Connections made after the first one was lost.", {}, [this] {
                                                        const std::uint64_t connects = read_().connects;
                                                        return connects == 0 ? 0 : connects - 1;
                                                    }));
    callbacks_.push_back(registry->gauge_callback("lanyard_redis_commands_pending",
                                                  "Commands that wait or are in flight.", {},
                                                  [this] { return static_cast<double>(read_().pending); }));
    duration_ =
        &registry->histogram("lanyard_redis_command_duration_seconds",
                             "From the writing of a request, which may hold several commands, to its last answer.",
                             telemetry::latency_buckets());
}

}  // namespace lanyard::redis
