#include <algorithm>

#include "works.hpp"

namespace lanyard::simulator {

void StartWork::on_turn(Driver& driver, Now now) {
    std::size_t allowed = options_.count;
    if (options_.register_rate_per_s > 0) {
        const double by_now = driver.seconds() * options_.register_rate_per_s + 1;
        allowed = static_cast<std::size_t>(std::min(by_now, static_cast<double>(options_.count)));
    }
    while (started_ < allowed && outstanding_count_ < options_.register_window) {
        const auto device = static_cast<device::DeviceIndex>(started_++);
        driver.fleet().start(device, now.steady);
        outstanding_[device] = true;
        ++outstanding_count_;
    }
}

// A device whose first try has failed goes on by itself, with its own back-off.
void StartWork::on_report(const device::ExchangeReport& report) {
    if (!outstanding_[report.device]) return;
    outstanding_[report.device] = false;
    --outstanding_count_;
}

void FarewellWork::on_turn(Driver& driver, Now now) {
    while (next_ < options_.count && outstanding_ < options_.register_window) {
        if (driver.fleet().send_deregister(static_cast<device::DeviceIndex>(next_++), now)) ++outstanding_;
    }
}

void FarewellWork::on_report(const device::ExchangeReport& report) {
    if (report.kind == device::ExchangeKind::deregister && outstanding_ > 0) --outstanding_;
}

}  // namespace lanyard::simulator
