#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>

#include "fleet_port.hpp"
#include "simulator/ack_log.hpp"
#include "simulator/simulate.hpp"

namespace lanyard::simulator {

// Joins a fleet, its sockets and the clock: one turn of the loop at a time. What to send is decided by the turn's
// caller (start_up.cpp, load_run.cpp) through Work.
class Driver final : public device::FleetSink, public DatagramSink {
  public:
    // Sends something in each turn of the loop.
    class Work {
      public:
        virtual ~Work() = default;
        virtual void on_turn(Driver& driver, Now now) = 0;
        virtual void on_report(const device::ExchangeReport& report) { static_cast<void>(report); }
        // A datagram from another peer than the fleet's server.
        virtual void on_stranger(ByteView datagram) { static_cast<void>(datagram); }
        // When on_turn() wants to be called again, if nothing arrives before.
        [[nodiscard]] virtual Duration patience() const { return std::chrono::milliseconds(20); }
        [[nodiscard]] virtual const LoadResult* load() const { return nullptr; }
    };

    Driver(const SimulateOptions& options, const SimulateCallbacks& callbacks, std::unique_ptr<FleetPort> port,
           std::optional<AckLog> log);

    // One turn: timers, what has arrived, the work, what is to be sent; waits when there was nothing.
    void turn(Work& work);
    void send_to(device::DeviceIndex device, const Address& peer, ByteView datagram) {
        sent_bytes_ += datagram.size();
        port_->send(device, peer, datagram);
    }

    [[nodiscard]] device::Fleet& fleet() { return fleet_; }
    [[nodiscard]] Now now() const { return now_; }
    [[nodiscard]] double seconds() const;
    [[nodiscard]] const std::map<device::ExchangeKind, ExchangeTotals>& totals() const { return totals_; }
    [[nodiscard]] std::uint64_t dropped() const { return port_->dropped(); }
    // UDP payload since the start.
    [[nodiscard]] std::uint64_t sent_bytes() const { return sent_bytes_; }
    [[nodiscard]] std::uint64_t received_bytes() const { return received_bytes_; }
    [[nodiscard]] Result<void> close_log();

    void transmit(device::DeviceIndex device, ByteView datagram) override;
    void on_finished(const device::ExchangeReport& report) override;
    void on_datagram(device::DeviceIndex device, const Address& peer, ByteView datagram) override;

  private:
    void report_progress(const Work& work);

    const SimulateOptions& options_;
    const SimulateCallbacks& callbacks_;
    std::unique_ptr<FleetPort> port_;
    std::optional<AckLog> log_;
    Now started_;
    Now now_;
    SteadyTime progress_at_;
    SteadyTime progress_before_;
    std::uint64_t acknowledged_ = 0;
    std::uint64_t acknowledged_before_ = 0;
    std::uint64_t sent_bytes_ = 0;
    std::uint64_t received_bytes_ = 0;
    device::DeviceIndex last_device_ = 0;
    Work* work_ = nullptr;
    std::map<device::ExchangeKind, ExchangeTotals> totals_;
    std::array<ExchangeTotals*, device::kExchangeKinds> totals_by_kind_{};
    device::Fleet fleet_;
};

// Adds one report to the totals of its kind.
void count(ExchangeTotals& totals, const device::ExchangeReport& report);

}  // namespace lanyard::simulator
