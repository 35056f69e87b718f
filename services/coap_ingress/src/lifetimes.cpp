#include "lifetimes.hpp"

#include <algorithm>
#include <utility>

namespace lanyard::coap_ingress {
namespace {

using namespace std::chrono_literals;

// Between the true deadline of an Update that is acknowledged from memory and the pledge (ADR 0003).
constexpr std::uint32_t kMarginSeconds = 30;
// The registry's slack over two lifetimes.
constexpr std::uint32_t kPledgeSlackSeconds = 60;
// An Expire that was not stored is told again after this.
constexpr Duration kExpireRetry = 10s;
// Touches that have time go together every so often: a sweep costs one command for each partition, not for each device.
constexpr std::uint64_t kSweepSeconds = 4;
constexpr std::uint64_t kSweepMinDelay = 8;
constexpr std::size_t kExpireBatch = 256;

std::uint32_t saturate(std::uint64_t seconds) {
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(seconds, 0xffffffffU));
}

}  // namespace

Lifetimes::Lifetimes(ShardContext& context, RegistryCommands& commands)
    : context_(context), commands_(commands), wheel_(context.origin, 1s) {}

void Lifetimes::watch(Device& device) {
    const auto slot = context_.table.slot_of(device);
    if (device.lifetime_s == 0) {
        wheel_.cancel(slot);
        return;
    }
    const auto due =
        std::chrono::seconds(std::uint64_t{device.renewed} + device.lifetime_s) + context_.config.lifetime.grace;
    wheel_.schedule(slot, context_.origin + due);
}

void Lifetimes::forget(const Device& device) {
    wheel_.cancel(context_.table.slot_of(device));
}

void Lifetimes::touch(Device& device) {
    if (device.touched) return;
    device.touched = true;
    const auto interval = std::chrono::duration_cast<std::chrono::seconds>(context_.config.lifetime.touch_interval);
    std::uint64_t delay = static_cast<std::uint64_t>(interval.count());
    if (device.lifetime_s != 0) delay = std::min<std::uint64_t>(delay, std::max(1U, device.lifetime_s / 4));
    std::uint64_t at = context_.seconds() + delay;
    if (delay >= kSweepMinDelay) at -= at % kSweepSeconds;
    ring_[static_cast<std::size_t>(at % kRing)].push_back(device.number);
}

bool Lifetimes::pledged(const Device& device) const {
    if (device.expiring) return false;
    if (device.lifetime_s == 0 || device.pledge_s == 0) return true;
    const auto grace = std::chrono::duration_cast<std::chrono::seconds>(context_.config.lifetime.grace);
    const auto needed = std::uint64_t{context_.wall_seconds()} + device.lifetime_s +
                        static_cast<std::uint64_t>(grace.count()) + kMarginSeconds;
    return needed <= device.pledge_s;
}

void Lifetimes::on_timer() {
    wheel_.advance(context_.now.steady, [this](RegistrationTable::Slot slot) { on_deadline(slot); });
    send_expired();
    for (const ShardSeconds now = context_.seconds(); swept_ < now;) {
        ++swept_;
        if (now - swept_ >= kRing)
            swept_ = now - ShardSeconds{kRing} + 1;  // after a jump each second of the ring comes once
        send_touches(ring_[swept_ % kRing]);
    }
}

void Lifetimes::flush() {
    send_expired();
    for (auto& numbers : ring_) send_touches(numbers);
}

void Lifetimes::on_deadline(RegistrationTable::Slot slot) {
    Device& device = context_.table.at(slot);
    if (!device.in_use || device.lifetime_s == 0) return;
    const auto due = context_.origin + std::chrono::seconds(std::uint64_t{device.renewed} + device.lifetime_s) +
                     context_.config.lifetime.grace;
    if (due > context_.now.steady) {
        wheel_.schedule(slot, due);
        return;
    }
    device.expiring = true;
    expired_.push_back(device.number);
    wheel_.schedule(slot, context_.now.steady + kExpireRetry);
    if (expired_.size() >= kExpireBatch) send_expired();
}

void Lifetimes::send_expired() {
    if (expired_.empty()) return;
    internal::v1::RegistrationCommand command;
    for (const std::uint32_t number : expired_) {
        const Device* device = context_.table.find(number);
        if (device == nullptr) continue;
        command.mutable_expire()->add_device_number(number);
        command.mutable_expire()->add_epoch(device->epoch);
    }
    expired_.clear();
    const internal::v1::Expire expire = command.expire();
    const bool sent = commands_.send(std::move(command), [this, expire](const RegistryCommands::Result& result) {
        if (result.status() == RegistryCommands::Result::STATUS_UNAVAILABLE) return;
        for (int i = 0; i < expire.device_number_size(); ++i) {
            Device* device = context_.table.find(expire.device_number(i));
            if (device == nullptr || !device->expiring || device->epoch != expire.epoch(i)) continue;
            context_.metrics.expired.add();
            forget(*device);
            context_.table.erase(*device);
        }
    });
    static_cast<void>(sent);  // not sent: the timers of the devices fire again
}

std::uint32_t Lifetimes::pledge_for(const Device& device) const {
    if (device.lifetime_s == 0 || device.pledge_s == 0) return 0;
    const std::uint64_t renewed = context_.wall_seconds() - std::uint64_t{context_.seconds() - device.renewed};
    return std::max(device.pledge_s, saturate(renewed + 2 * std::uint64_t{device.lifetime_s} + kPledgeSlackSeconds));
}

void Lifetimes::send_touches(std::vector<std::uint32_t>& numbers) {
    internal::v1::Touch touch;
    for (const std::uint32_t number : numbers) {
        Device* device = context_.table.find(number);
        if (device == nullptr || !device->touched) continue;
        device->touched = false;
        touch.add_device_number(number);
        touch.add_pledge_s(pledge_for(*device));
        touch.add_last_seen_s(context_.wall_seconds() - (context_.seconds() - device->heard));
        if (touch.device_number_size() < kTouchBatch) continue;
        send_touch(std::exchange(touch, {}));
    }
    numbers.clear();
    if (touch.device_number_size() != 0) send_touch(std::move(touch));
}

void Lifetimes::send_touch(internal::v1::Touch&& touch) {
    internal::v1::RegistrationCommand command;
    *command.mutable_touch() = touch;
    const bool sent = commands_.send(std::move(command), [this, touch](const RegistryCommands::Result& result) {
        on_touch_result(touch, result.status() == RegistryCommands::Result::STATUS_OK);
    });
    if (!sent) on_touch_result(touch, false);
}

void Lifetimes::on_touch_result(const internal::v1::Touch& touch_command, bool stored) {
    for (int i = 0; i < touch_command.device_number_size(); ++i) {
        Device* device = context_.table.find(touch_command.device_number(i));
        if (device == nullptr) continue;
        if (!stored) {
            if (!context_.draining) touch(*device);
        } else if (device->pledge_s != 0) {
            device->pledge_s = std::max(device->pledge_s, touch_command.pledge_s(i));
        }
    }
}

}  // namespace lanyard::coap_ingress
