#pragma once

#include <chrono>

#include "base/address.hpp"
#include "base/time.hpp"
#include "runtime/config.hpp"
#include "telemetry/log.hpp"

namespace lanyard::runtime {

// Keys that every service program has: log.level, log.format, admin.listen, shutdown.grace.
struct CommonConfig {
    telemetry::LogOptions log;
    Address admin_listen = Address::v4(0x7f000001, 9090);
    Duration shutdown_grace = std::chrono::seconds(25);  // under Kubernetes' default of 30 s
};

void bind(Binder& binder, CommonConfig& config);

}  // namespace lanyard::runtime
