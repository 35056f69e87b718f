#pragma once

#include <functional>
#include <vector>

#include "redis/client.hpp"
#include "telemetry/metrics.hpp"

namespace lanyard::redis {

// The numbers of one client on /metrics.
class ClientMetrics {
  public:
    // `registry` may be null: then nothing is shown. `read` is called by scrapes, on any thread, and must be valid as
    // long as this object.
    ClientMetrics(telemetry::MetricRegistry* registry, std::function<Stats()> read);

    // One command was answered, that long after it was written.
    void answered(double seconds) {
        if (duration_ != nullptr) duration_->observe(seconds);
    }

  private:
    std::function<Stats()> read_;
    telemetry::Histogram* duration_ = nullptr;
    std::vector<telemetry::MetricRegistry::Callback> callbacks_;
};

}  // namespace lanyard::redis
