#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "telemetry/metrics.hpp"

namespace lanyard::observation {

// The metrics of the service, by event. Any thread.
class Metrics {
  public:
    explicit Metrics(telemetry::MetricRegistry& registry);
    // For what shows its own numbers: Kafka, Redis, gRPC.
    [[nodiscard]] telemetry::MetricRegistry& registry() { return registry_; }

    void uplink_received(bool send) { (send ? sends_ : notifications_).add(); }
    void values_produced(std::size_t count) { values_.add(count); }
    void produced(bool delivered) { (delivered ? delivered_ : failed_).add(); }
    void decode_failed(std::string_view format);
    void dead_lettered(std::string_view reason);
    void observation_ended() { ended_.add(); }
    void rewound() { rewinds_.add(); }
    void observations(std::size_t count) { observations_.set(static_cast<double>(count)); }
    void in_flight(std::size_t count) { in_flight_.set(static_cast<double>(count)); }
    void lag(std::string_view topic, std::int64_t records);
    void latest_written(std::size_t devices) { latest_written_.add(devices); }
    void latest_dropped() { latest_dropped_.add(); }
    void latest_failed() { latest_failed_.add(); }

    // `result`: established, refused, unreachable, cancelled.
    void observe_request(std::string_view result);
    // `event`: registered, updated, ... as in the lifecycle topic; malformed.
    void lifecycle_event(std::string_view event);
    void reconciling(std::size_t devices) { reconciling_.set(static_cast<double>(devices)); }
    void streams(std::size_t count) { streams_.set(static_cast<double>(count)); }
    void stream_cut() { streams_cut_.add(); }

  private:
    telemetry::Counter& labelled(std::string_view name, std::string_view help, std::string_view label,
                                 std::string_view value);

    // Kinds of events that are told apart; a producer of nonsense must not make more.
    static constexpr std::size_t kLifecycleEventsMax = 32;

    telemetry::MetricRegistry& registry_;
    std::mutex lifecycle_mutex_;
    std::map<std::string, telemetry::Counter*, std::less<>> lifecycle_;
    telemetry::Counter& notifications_;
    telemetry::Counter& sends_;
    telemetry::Counter& values_;
    telemetry::Counter& delivered_;
    telemetry::Counter& failed_;
    telemetry::Counter& ended_;
    telemetry::Counter& rewinds_;
    telemetry::Counter& latest_written_;
    telemetry::Counter& latest_dropped_;
    telemetry::Counter& latest_failed_;
    telemetry::Counter& streams_cut_;
    telemetry::Gauge& observations_;
    telemetry::Gauge& in_flight_;
    telemetry::Gauge& reconciling_;
    telemetry::Gauge& streams_;
};

}  // namespace lanyard::observation
