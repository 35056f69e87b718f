#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <ctime>

#include "works.hpp"

namespace lanyard::simulator {
namespace {

// The length of a CoAP Update and of a short notification lie around this.
constexpr std::size_t kEchoBytes = 70;
// An echo that has not come back by then was lost.
constexpr auto kEchoPatience = std::chrono::milliseconds(200);
// What is outstanding when the time is over gets the first retransmissions; then it is counted as unanswered.
constexpr auto kSettleTime = std::chrono::seconds(5);
// Devices tried for one message before giving up for this turn: busy or unobserved ones are passed over.
constexpr std::size_t kTries = 64;

device::ExchangeKind exchange_of(LoadKind kind) {
    switch (kind) {
        case LoadKind::updates:
            return device::ExchangeKind::update;
        case LoadKind::notifications:
            return device::ExchangeKind::notify;
        case LoadKind::registrations:
            return device::ExchangeKind::register_;
        case LoadKind::sends:
            return device::ExchangeKind::send;
        case LoadKind::echo:
            return device::ExchangeKind::none;
    }
    return device::ExchangeKind::none;
}

}  // namespace

double thread_cpu_seconds() {
    timespec used{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9;
}

LoadWork::LoadWork(const LoadPhase& phase, Driver& driver)
    : phase_(phase),
      kind_(exchange_of(phase.kind)),
      started_(driver.now().steady),
      retransmissions_before_(driver.fleet().counters().retransmissions),
      cpu_before_(thread_cpu_seconds()),
      sent_bytes_before_(driver.sent_bytes()),
      received_bytes_before_(driver.received_bytes()),
      last_answer_(started_),
      now_(driver.now()) {
    result_.phase = phase;
}

std::uint64_t LoadWork::due(Now now) {
    if (!phase_.rate_per_s) return ~std::uint64_t{0};
    const double elapsed = std::chrono::duration<double>(now.steady - started_).count();
    return static_cast<std::uint64_t>(elapsed * *phase_.rate_per_s);
}

void LoadWork::on_turn(Driver& driver, Now now) {
    now_ = now;
    if (now.steady - started_ >= phase_.duration) {
        settle(driver, now);
        return;
    }
    if (phase_.kind == LoadKind::echo && now.steady - last_answer_ > kEchoPatience) outstanding_ = 0;
    result_.seconds = std::chrono::duration<double>(now.steady - started_).count();
    result_.retransmissions = driver.fleet().counters().retransmissions - retransmissions_before_;
    const std::uint64_t wanted = due(now);
    while (result_.totals.sent < wanted && outstanding_ < phase_.window) {
        if (!fire(driver, now)) break;
    }
    if (phase_.rate_per_s) result_.held_back = wanted - std::min(wanted, result_.totals.sent);
}

bool LoadWork::fire(Driver& driver, Now now) {
    const auto count = static_cast<device::DeviceIndex>(driver.fleet().size());
    for (std::size_t tries = 0; tries < kTries; ++tries) {
        const device::DeviceIndex device = next_;
        next_ = next_ + 1 == count ? 0 : next_ + 1;
        if (!fire_at(driver, device, now)) continue;
        ++outstanding_;
        ++result_.totals.sent;
        return true;
    }
    return false;
}

bool LoadWork::fire_at(Driver& driver, device::DeviceIndex device, Now now) {
    device::Fleet& fleet = driver.fleet();
    switch (phase_.kind) {
        case LoadKind::updates:
            return fleet.send_update(device, now);
        case LoadKind::notifications:
            return fleet.send_notification(device, true, now);
        case LoadKind::registrations:
            return fleet.send_register(device, now);
        case LoadKind::sends:
            return fleet.send_data(device, now);
        case LoadKind::echo:
            send_echo(driver, device, now);
            return true;
    }
    return false;
}

void LoadWork::send_echo(Driver& driver, device::DeviceIndex device, Now now) {
    std::array<std::uint8_t, kEchoBytes> datagram{};
    const std::int64_t sent = now.steady.time_since_epoch().count();
    std::memcpy(datagram.data(), &sent, sizeof sent);
    driver.send_to(device, *phase_.target, datagram);
}

void LoadWork::on_stranger(ByteView datagram) {
    std::int64_t sent = 0;
    if (phase_.kind != LoadKind::echo || datagram.size() < sizeof sent) return;
    std::memcpy(&sent, datagram.data(), sizeof sent);
    const Duration latency = now_.steady.time_since_epoch() - Duration(sent);
    result_.totals.latency.record(
        static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::microseconds>(latency).count()));
    ++result_.totals.acknowledged;
    last_answer_ = now_.steady;
    if (outstanding_ > 0) --outstanding_;
}

void LoadWork::on_report(const device::ExchangeReport& report) {
    if (report.kind != kind_) return;
    if (outstanding_ > 0) --outstanding_;
    count(result_.totals, report);
}

void LoadWork::settle(Driver& driver, Now now) {
    const bool lost_echo = phase_.kind == LoadKind::echo && now.steady - last_answer_ > kEchoPatience;
    if (outstanding_ > 0 && !lost_echo && now.steady - started_ < phase_.duration + kSettleTime) return;
    result_.unanswered = outstanding_;
    result_.retransmissions = driver.fleet().counters().retransmissions - retransmissions_before_;
    result_.loader_cpu_seconds = thread_cpu_seconds() - cpu_before_;
    result_.sent_bytes = driver.sent_bytes() - sent_bytes_before_;
    result_.received_bytes = driver.received_bytes() - received_bytes_before_;
    finished_ = true;
}

Duration LoadWork::patience() const {
    if (!phase_.rate_per_s || outstanding_ >= phase_.window) return std::chrono::milliseconds(10);
    const double next = static_cast<double>(result_.totals.sent + 1) / *phase_.rate_per_s;
    const SteadyTime at = started_ + std::chrono::duration_cast<Duration>(std::chrono::duration<double>(next));
    return std::clamp<Duration>(at - now_.steady, Duration::zero(), std::chrono::milliseconds(10));
}

}  // namespace lanyard::simulator
