#pragma once

#include <memory>
#include <string>
#include <vector>

#include "observation/downlink.hpp"
#include "runtime/health.hpp"
#include "scheduler.hpp"

namespace lanyard::observation {

// Requests in flight at once over all devices; one more is answered `unreachable`.
inline constexpr std::size_t kMaxDownlinks = 65536;

// Downlink through the registry's internal DownlinkService: one long-lived stream of batches to one replica; when it
// breaks the next address is tried. What was under way then is answered `unreachable`: whether the device got it is
// not known, and asking again is harmless. Answers that never come are given up after the device's timeout plus a
// grace. stop() before the scheduler ends.
class RegistryDownlink final : public Downlink {
  public:
    RegistryDownlink(std::vector<std::string> addresses, Scheduler& scheduler, runtime::HealthBoard::Dependency health);
    ~RegistryDownlink() override;
    void send(DownlinkCommand command, std::function<void(DownlinkAnswer)> done) override;
    void stop();

  private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace lanyard::observation
