#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "runtime/deadline.hpp"
#include "runtime/service.hpp"
#include "runtime/signals.hpp"
#include "telemetry/log.hpp"

namespace lanyard::runtime {

// Starts the services in the given order and logs their ports. If one fails, those before it are drained in
// reverse order within `grace` and its error is returned with the service's name in front.
[[nodiscard]] Result<void> start_all(std::span<Service* const> services, Duration grace, const telemetry::Logger& log);

// Drains in reverse order; all of them share the one deadline.
void drain_all(std::span<Service* const> services, Deadline deadline, const telemetry::Logger& log);

// Ends the process with kExitDrainTimedOut, after a log line, unless it is destroyed before the deadline or a
// second stop signal. For the time of a drain, where a service may hang.
class ExitGuard {
  public:
    ExitGuard(Deadline deadline, StopSignals& signals, const telemetry::Logger& log);
    ~ExitGuard();
    ExitGuard(const ExitGuard&) = delete;
    ExitGuard& operator=(const ExitGuard&) = delete;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace lanyard::runtime
