#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.hpp"
#include "base/error.hpp"
#include "runtime/config.hpp"
#include "runtime/deadline.hpp"
#include "runtime/health.hpp"
#include "telemetry/log.hpp"
#include "telemetry/metrics.hpp"

namespace lanyard::runtime {

// What every service gets from the program that composes it. All of it outlives the service.
struct ServiceContext {
    const telemetry::Logger& log;        // lines carry the service's name
    telemetry::MetricRegistry& metrics;  // of the process, shared by the services in it
    HealthBoard& health;                 // of this service alone
};

// Where a service listens, for the log and for whoever composes services.
struct Port {
    std::string name;  // "coap", "grpc"
    Address address;   // with the real port
};

// The life of one service: constructed (cheap, no threads), start(), serving, drain(), destroyed.
//
// Several services, and several instances of one, live in one process: no mutable globals. start() and drain() are
// called from one thread, never concurrently; the rest from any thread.
class Service {
  public:
    virtual ~Service() = default;

    [[nodiscard]] virtual std::string_view name() const = 0;

    // Binds its ports and starts its threads; returns quickly. An error means that it can never work as configured
    // (a port is taken, a file is missing). A dependency that does not answer is NOT an error: say so in the log
    // and on the health board, keep trying, become ready when it is there.
    [[nodiscard]] virtual Result<void> start() = 0;

    // Stops accepting, finishes what it acknowledged, flushes, releases what it owns, joins its threads. Returns at
    // latest at the deadline, saying in the log what was left undone. Also called after a failed start().
    virtual void drain(Deadline deadline) = 0;

    // The listeners, after start().
    [[nodiscard]] virtual std::vector<Port> ports() const { return {}; }
};

// How a program's main describes its one service to run_service_main.
struct ServiceDescriptor {
    std::string name;     // "registry": in the log, in health answers
    std::string summary;  // one sentence for --help
    // Default port of admin.listen, so that the services of one host do not collide.
    std::uint16_t admin_port = 9090;
    // Binds the configuration of the service. The struct it binds must outlive run_service_main.
    std::function<void(Binder&)> bind;
    // Checks across keys after loading; optional. The message names the key path.
    std::function<Result<void>()> validate;
    // Makes the service from the loaded configuration, without starting it.
    std::function<Result<std::unique_ptr<Service>>(const ServiceContext&)> make;
};

// Exit codes of run_service_main. 0 also after a clean drain.
inline constexpr int kExitStartFailed = 1;
inline constexpr int kExitBadUsage = 2;       // command line or configuration refused
inline constexpr int kExitDrainTimedOut = 3;  // forced out after shutdown.grace

// The whole main of a service program:
//
//   int main(int argc, char** argv) {
//       lanyard::registry::Config config;
//       return lanyard::runtime::run_service_main(
//           argc, argv,
//           {.name = "registry",
//            .summary = "Keeps tenants, devices and registrations.",
//            .bind = [&](auto& binder) { bind(binder, config); },
//            .validate = {},
//            .make = [&](const auto& context) { return lanyard::registry::make_service(config, context); }});
//   }
//
// Understands --config FILE, --set key=value (repeatable), --check-config, --print-config (documented defaults),
// --print-effective-config (masked), --endpoints-file FILE (JSON, name to address, written once started), --help,
// --version. Adds the keys of CommonConfig. Runs until SIGTERM or SIGINT, then drains within shutdown.grace; a second
// signal, or the end of the grace, forces the exit.
int run_service_main(int argc, char** argv, ServiceDescriptor descriptor);

}  // namespace lanyard::runtime
