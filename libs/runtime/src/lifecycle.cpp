#include "runtime/lifecycle.hpp"

#include <algorithm>
#include <atomic>

#include <unistd.h>

#include "runtime/clock.hpp"
#include "runtime/socket_address.hpp"
#include "runtime/thread.hpp"

namespace lanyard::runtime {
namespace {

void log_ports(const Service& service, const telemetry::Logger& log) {
    for (const Port& port : service.ports()) {
        log.info("listening", {{"name", service.name()}, {"port", port.name}, {"address", to_string(port.address)}});
        if (!is_loopback(port.address)) {
            log.warn("reachable from other hosts",
                     {{"name", service.name()}, {"port", port.name}, {"address", to_string(port.address)}});
        }
    }
}

double seconds_since(SteadyTime start) {
    return std::chrono::duration<double>(steady_now() - start).count();
}

}  // namespace

Result<void> start_all(std::span<Service* const> services, Duration grace, const telemetry::Logger& log) {
    for (std::size_t i = 0; i < services.size(); ++i) {
        const auto started = services[i]->start();
        if (!started) {
            drain_all(services.first(i + 1), Deadline::in(grace), log);
            return make_error(started.error().code, std::string(services[i]->name()) + ": " + started.error().message);
        }
        log_ports(*services[i], log);
    }
    return {};
}

void drain_all(std::span<Service* const> services, Deadline deadline, const telemetry::Logger& log) {
    for (auto service = services.rbegin(); service != services.rend(); ++service) {
        const SteadyTime start = steady_now();
        (*service)->drain(deadline);
        log.info("drained", {{"name", (*service)->name()}, {"seconds", seconds_since(start)}});
    }
}

struct ExitGuard::Impl {
    std::atomic<bool> disarmed{false};
    Thread thread;
};

ExitGuard::ExitGuard(Deadline deadline, StopSignals& signals, const telemetry::Logger& log)
    : impl_(std::make_unique<Impl>()) {
    impl_->thread = Thread("exit-guard", [impl = impl_.get(), deadline, &signals, &log] {
        while (!impl->disarmed.load()) {
            // In slices: the destructor must not wait for long, and a signal may have come for another waiter.
            const Duration slice = std::min<Duration>(deadline.remaining(), std::chrono::milliseconds(20));
            const auto signal = signals.wait(slice);
            if (impl->disarmed.load() || (!signal && !deadline.expired())) continue;
            log.error("forced exit: the drain did not end", {{"reason", signal ? *signal : "shutdown.grace is over"}});
            _exit(kExitDrainTimedOut);
        }
    });
}

ExitGuard::~ExitGuard() {
    impl_->disarmed.store(true);
}

}  // namespace lanyard::runtime
