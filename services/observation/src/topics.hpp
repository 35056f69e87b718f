#pragma once

#include <atomic>
#include <functional>

#include "observation/config.hpp"
#include "runtime/deadline.hpp"
#include "runtime/health.hpp"
#include "runtime/poller.hpp"
#include "runtime/thread.hpp"
#include "telemetry/log.hpp"

namespace lanyard::observation {

// Makes or checks the topics that are written here, then waits for those that are read here, in a thread of its own
// that tries until it succeeds; then calls `ready` once.
class TopicKeeper {
  public:
    TopicKeeper(const Config& config, const telemetry::Logger& log, runtime::HealthBoard::Dependency kafka,
                std::function<void()> ready);
    void start();
    bool stop(runtime::Deadline deadline);

  private:
    void run();
    [[nodiscard]] Result<void> attempt();

    const Config& config_;
    const telemetry::Logger& log_;
    runtime::HealthBoard::Dependency kafka_;
    std::function<void()> ready_;
    std::atomic<bool> stopping_{false};
    runtime::Wakeup wakeup_;
    runtime::Thread thread_;
};

}  // namespace lanyard::observation
