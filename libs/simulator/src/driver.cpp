#include "driver.hpp"

#include <algorithm>

#include "runtime/clock.hpp"

namespace lanyard::simulator {
namespace {

constexpr int kBatchesPerTurn = 4;

}  // namespace

void count(ExchangeTotals& totals, const device::ExchangeReport& report) {
    if (report.succeeded()) {
        ++totals.acknowledged;
        totals.latency.record(report.latency_us);
    } else if (report.outcome == device::ExchangeOutcome::timed_out) {
        ++totals.errors["timeout"];
    } else if (report.outcome == device::ExchangeOutcome::reset) {
        ++totals.errors["reset"];
    } else {
        ++totals.errors[coap::to_string(report.code)];
    }
}

Driver::Driver(const SimulateOptions& options, const SimulateCallbacks& callbacks, std::unique_ptr<FleetPort> port,
               std::optional<AckLog> log)
    : options_(options),
      callbacks_(callbacks),
      port_(std::move(port)),
      log_(std::move(log)),
      started_(runtime::now()),
      now_(started_),
      progress_at_(started_.steady + std::chrono::seconds(1)),
      progress_before_(started_.steady),
      fleet_(options.profile, options.count, *this, started_) {
    for (std::size_t kind = 1; kind < totals_by_kind_.size(); ++kind) {
        totals_by_kind_[kind] = &totals_[static_cast<device::ExchangeKind>(kind)];
    }
}

double Driver::seconds() const {
    return std::chrono::duration<double>(now_.steady - started_.steady).count();
}

Result<void> Driver::close_log() {
    if (!log_) return {};
    return log_->close();
}

void Driver::turn(Work& work) {
    work_ = &work;
    now_ = runtime::now();
    fleet_.advance(now_);
    std::size_t received = 0;
    for (int batch = 0; batch < kBatchesPerTurn; ++batch) {
        const std::size_t count = port_->receive(*this);
        received += count;
        if (count < 32) break;
        now_ = runtime::now();
    }
    work.on_turn(*this, now_);
    port_->flush();
    if (now_.steady >= progress_at_) report_progress(work);
    if (received == 0) {
        Duration timeout = work.patience();
        if (const auto deadline = fleet_.next_deadline()) timeout = std::min(timeout, *deadline - now_.steady);
        if (timeout > Duration::zero()) port_->wait(timeout);
    }
    work_ = nullptr;
}

void Driver::transmit(device::DeviceIndex device, ByteView datagram) {
    send_to(device, options_.target, datagram);
}

void Driver::on_datagram(device::DeviceIndex device, const Address& peer, ByteView datagram) {
    if (device >= fleet_.size()) return;
    received_bytes_ += datagram.size();
    if (peer == options_.target) {
        fleet_.receive(device, datagram, now_);
    } else if (work_ != nullptr) {
        work_->on_stranger(datagram);
    }
}

void Driver::on_finished(const device::ExchangeReport& report) {
    ExchangeTotals& totals = *totals_by_kind_[static_cast<std::size_t>(report.kind)];
    ++totals.sent;
    count(totals, report);
    if (report.succeeded()) {
        ++acknowledged_;
        last_device_ = report.device;
        if (log_) log_->write(now_.wall_ms, fleet_.endpoint(report.device), report);
    }
    if (work_ != nullptr) work_->on_report(report);
}

void Driver::report_progress(const Work& work) {
    const double elapsed = std::chrono::duration<double>(now_.steady - progress_before_).count();
    if (callbacks_.on_progress) {
        Progress progress;
        progress.seconds = seconds();
        progress.count = fleet_.size();
        progress.fleet = fleet_.counters();
        progress.last_endpoint = fleet_.endpoint(last_device_);
        progress.last_temperature = fleet_.temperature(last_device_);
        progress.load = work.load();
        progress.acknowledged_per_s = static_cast<double>(acknowledged_ - acknowledged_before_) / elapsed;
        callbacks_.on_progress(progress);
    }
    acknowledged_before_ = acknowledged_;
    progress_before_ = now_.steady;
    progress_at_ = std::max(progress_at_ + std::chrono::seconds(1), now_.steady);
}

}  // namespace lanyard::simulator
