#pragma once

#include <vector>

#include "driver.hpp"

namespace lanyard::simulator {

// Lets the fleet live, nothing more.
class IdleWork final : public Driver::Work {
  public:
    void on_turn(Driver&, Now) override {}
};

// Starts the devices one after the other: not faster than the rate, not more outstanding than the window.
class StartWork final : public Driver::Work {
  public:
    explicit StartWork(const SimulateOptions& options) : options_(options), outstanding_(options.count, false) {}

    void on_turn(Driver& driver, Now now) override;
    void on_report(const device::ExchangeReport& report) override;
    [[nodiscard]] Duration patience() const override { return std::chrono::milliseconds(2); }

  private:
    const SimulateOptions& options_;
    std::vector<bool> outstanding_;  // started, and its first answer has not come
    std::size_t outstanding_count_ = 0;
    std::size_t started_ = 0;
};

// Ends all registrations, with the window of the start.
class FarewellWork final : public Driver::Work {
  public:
    explicit FarewellWork(const SimulateOptions& options) : options_(options) {}

    void on_turn(Driver& driver, Now now) override;
    void on_report(const device::ExchangeReport& report) override;
    [[nodiscard]] bool done() const { return next_ == options_.count && outstanding_ == 0; }

  private:
    const SimulateOptions& options_;
    std::size_t next_ = 0;
    std::size_t outstanding_ = 0;
};

// One load phase: until its time is over and what was sent is settled.
class LoadWork final : public Driver::Work {
  public:
    LoadWork(const LoadPhase& phase, Driver& driver);

    void on_turn(Driver& driver, Now now) override;
    void on_report(const device::ExchangeReport& report) override;
    void on_stranger(ByteView datagram) override;
    [[nodiscard]] Duration patience() const override;
    [[nodiscard]] const LoadResult* load() const override { return &result_; }

    [[nodiscard]] bool done() const { return finished_; }
    // Once done().
    [[nodiscard]] const LoadResult& result() const { return result_; }

  private:
    [[nodiscard]] std::uint64_t due(Now now);
    bool fire(Driver& driver, Now now);
    bool fire_at(Driver& driver, device::DeviceIndex device, Now now);
    void send_echo(Driver& driver, device::DeviceIndex device, Now now);
    void settle(Driver& driver, Now now);

    const LoadPhase phase_;
    const device::ExchangeKind kind_;
    const SteadyTime started_;
    const std::uint64_t retransmissions_before_;
    const double cpu_before_;
    const std::uint64_t sent_bytes_before_;
    const std::uint64_t received_bytes_before_;
    SteadyTime last_answer_;
    Now now_;
    LoadResult result_;
    std::size_t outstanding_ = 0;
    device::DeviceIndex next_ = 0;
    bool finished_ = false;
};

// CPU time of the calling thread.
double thread_cpu_seconds();

}  // namespace lanyard::simulator
