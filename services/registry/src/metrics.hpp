#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "telemetry/metrics.hpp"

namespace lanyard::registry {

// The registry's metrics. Any thread.
class Metrics {
  public:
    explicit Metrics(telemetry::MetricRegistry& registry);

    void registration_request(std::string_view operation, std::string_view result);
    void operation(std::string_view operation, const std::string& result, Duration took);
    void watch_cut() { cut_.add(); }
    void registrations_expired(std::size_t count) { expired_.add(count); }

    // What is sampled; written by the loop, shown as gauges and summed over the instances of a process.
    struct Sample {
        double registered = 0;    // in partitions held by this replica, as the next two
        double unregistered = 0;  // devices without a registration
        double outbox_depth = 0;
        double leases = 0;
        double ingress_nodes = 0;
        double downlinks = 0;
        double watches = 0;
    };
    void sampled(const Sample& sample);
    void published(std::uint64_t total, std::uint64_t failures, std::uint64_t unreadable);

  private:
    using Counters = std::map<std::pair<std::string, std::string>, telemetry::Counter*>;
    void count(Counters& counters, const char* name, const char* help, std::string_view operation,
               std::string_view result);
    void gauge(const char* name, const char* help, std::size_t index, telemetry::Labels labels = {});

    telemetry::MetricRegistry& registry_;
    telemetry::Counter& expired_;
    telemetry::Counter& published_;
    telemetry::Counter& failed_;
    telemetry::Counter& unreadable_;
    telemetry::Counter& cut_;
    std::uint64_t last_published_ = 0;
    std::uint64_t last_failed_ = 0;
    std::uint64_t last_unreadable_ = 0;
    std::mutex mutex_;
    Counters requests_;
    Counters operations_;
    std::array<std::atomic<double>, 7> values_{};
    std::vector<telemetry::MetricRegistry::Callback> callbacks_;
};

}  // namespace lanyard::registry
