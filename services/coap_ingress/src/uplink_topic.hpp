#pragma once

#include <condition_variable>
#include <mutex>

#include "coap_ingress/config.hpp"
#include "runtime/deadline.hpp"
#include "runtime/health.hpp"
#include "runtime/thread.hpp"
#include "telemetry/log.hpp"

namespace lanyard::coap_ingress {

// Makes or checks the uplink topic at start, on a thread of its own that tries until it succeeds. Until then the
// service is not ready; later outages of Kafka do not touch this.
class UplinkTopic {
  public:
    UplinkTopic(const Config& config, const telemetry::Logger& log, runtime::HealthBoard::Dependency health);
    void start();
    void stop(runtime::Deadline deadline);

  private:
    void run();
    [[nodiscard]] Result<void> attempt() const;

    const Config& config_;
    const telemetry::Logger& log_;
    runtime::HealthBoard::Dependency health_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool stopping_ = false;
    runtime::Thread thread_;
};

}  // namespace lanyard::coap_ingress
