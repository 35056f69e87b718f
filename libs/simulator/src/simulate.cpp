#include "simulator/simulate.hpp"

#include <utility>

#include "driver.hpp"
#include "runtime/socket_address.hpp"
#include "works.hpp"

namespace lanyard::simulator {
namespace {

// Without any device registered or observed anew for so long, a load cannot begin.
constexpr double kPatienceSeconds = 30;
constexpr double kFarewellSeconds = 10;

// The course of one simulation: start, load or life, farewell.
class Simulation {
  public:
    Simulation(const SimulateOptions& options, const SimulateCallbacks& callbacks, const std::atomic<bool>& stop,
               std::unique_ptr<FleetPort> port, std::optional<AckLog> log)
        : options_(options),
          callbacks_(callbacks),
          stop_(stop),
          driver_(options, callbacks, std::move(port), std::move(log)),
          start_(options) {}

    Result<SimulateSummary> run() {
        Result<void> ran = options_.load || callbacks_.next_phase ? run_phases() : run_life();
        if (ran) run_linger();
        if (ran && options_.deregister) run_farewell();
        summary_.seconds = driver_.seconds();
        summary_.count = options_.count;
        summary_.fleet = driver_.fleet().counters();
        summary_.send_dropped = driver_.dropped();
        summary_.exchanges = driver_.totals();
        const Result<void> closed = driver_.close_log();
        if (!ran) return ran.error();
        if (!closed) return closed.error();
        return summary_;
    }

  private:
    [[nodiscard]] bool over() const {
        const double limit = std::chrono::duration<double>(options_.duration).count();
        return stop_.load(std::memory_order_relaxed) || (limit > 0 && driver_.seconds() >= limit);
    }

    void note_registered() {
        if (summary_.seconds_until_registered > 0) return;
        if (driver_.fleet().counters().registered_now < options_.count) return;
        summary_.seconds_until_registered = driver_.seconds();
        if (callbacks_.on_registered) callbacks_.on_registered();
    }

    Result<void> run_life() {
        while (!over()) {
            driver_.turn(start_);
            note_registered();
        }
        return {};
    }

    [[nodiscard]] std::size_t observed() {
        std::size_t count = 0;
        for (std::size_t device = 0; device < options_.count; ++device) {
            if (driver_.fleet().is_observed(static_cast<device::DeviceIndex>(device))) ++count;
        }
        return count;
    }

    // Until `reached()` gives `count`, as long as it still grows.
    template <class Reached>
    Result<void> await(const char* what, Reached reached) {
        std::size_t most = 0;
        double grown_at = driver_.seconds();
        double checked_at = 0;
        while (!stop_.load(std::memory_order_relaxed)) {
            driver_.turn(start_);
            note_registered();
            if (driver_.seconds() - checked_at < 0.05) continue;
            checked_at = driver_.seconds();
            const std::size_t now = reached();
            if (now == options_.count) return {};
            if (now > most) grown_at = checked_at;
            most = std::max(most, now);
            if (checked_at - grown_at > kPatienceSeconds) {
                return make_error(Errc::failed_precondition, std::to_string(most) + " of " +
                                                                 std::to_string(options_.count) + " devices " + what +
                                                                 ": the load cannot begin");
            }
        }
        return {};
    }

    Result<void> prepare(LoadKind kind) {
        if (kind == LoadKind::echo) return {};
        const auto registered = [this] { return std::size_t{driver_.fleet().counters().registered_now}; };
        if (const Result<void> ready = await("are registered", registered); !ready) return ready.error();
        if (kind != LoadKind::notifications) return {};
        return await("have /3303/0/5700 under observation", [this] { return observed(); });
    }

    Result<void> run_phase(const LoadPhase& phase) {
        if (const Result<void> ready = prepare(phase.kind); !ready) return ready.error();
        LoadWork load(phase, driver_);
        while (!load.done() && !stop_.load(std::memory_order_relaxed)) driver_.turn(load);
        summary_.load = load.result();
        if (callbacks_.on_phase) callbacks_.on_phase(load.result());
        return {};
    }

    Result<void> run_phases() {
        if (options_.load) {
            if (const Result<void> ran = run_phase(*options_.load); !ran) return ran.error();
        }
        while (callbacks_.next_phase && !over()) {
            driver_.turn(start_);
            note_registered();
            const SimulateCallbacks::Next next = callbacks_.next_phase();
            if (next.finished) break;
            if (!next.phase) continue;
            if (const Result<void> ran = run_phase(*next.phase); !ran) return ran.error();
        }
        return {};
    }

    void run_linger() {
        IdleWork idle;
        const double until = driver_.seconds() + std::chrono::duration<double>(options_.linger).count();
        while (driver_.seconds() < until) driver_.turn(idle);
    }

    void run_farewell() {
        FarewellWork farewell(options_);
        const double until = driver_.seconds() + kFarewellSeconds;
        while (!farewell.done() && driver_.seconds() < until) driver_.turn(farewell);
    }

    const SimulateOptions& options_;
    const SimulateCallbacks& callbacks_;
    const std::atomic<bool>& stop_;
    Driver driver_;
    StartWork start_;
    SimulateSummary summary_;
};

}  // namespace

Result<SimulateSummary> simulate(const SimulateOptions& options, const SimulateCallbacks& callbacks,
                                 const std::atomic<bool>& stop) {
    if (const Result<void> valid = validate(options); !valid) return valid.error();
    const bool shared = options.target.is_v4() && runtime::is_loopback(options.target);
    Result<std::unique_ptr<FleetPort>> port =
        shared ? open_shared_port() : open_socket_ports(options.target, options.count);
    if (!port) return port.error();
    std::optional<AckLog> log;
    if (!options.ack_log.empty()) {
        Result<AckLog> opened = AckLog::open(options.ack_log);
        if (!opened) return opened.error();
        log = std::move(*opened);
    }
    const auto simulation = std::make_unique<Simulation>(options, callbacks, stop, std::move(*port), std::move(log));
    return simulation->run();
}

}  // namespace lanyard::simulator
