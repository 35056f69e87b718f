#include "fleet_core.hpp"

#include <algorithm>
#include <cstring>

namespace lanyard::device {
namespace {

using coap::Code;
using std::chrono::milliseconds;

// Longer waits are cut in pieces, so that FleetMillis can compare them.
constexpr milliseconds kLongestWait = std::chrono::hours(24 * 20);
constexpr milliseconds kFirstBackoff{2'000};
constexpr milliseconds kLongestBackoff{60'000};
// Spreads a fleet that loses its registrations at the same moment.
constexpr std::uint32_t kRegisterJitterMs = 1'000;
// What a separate response may take after its empty ACK: MAX_TRANSMIT_WAIT.
constexpr milliseconds kSeparateWait{93'000};
// RFC 7252 section 5.10.5.
constexpr std::uint64_t kDefaultMaxAge = 60;
constexpr std::uint64_t kGreatestMaxAge = 3'600;

// The Location-Path options joined by '/'; false when they do not fit.
bool read_location(const coap::MessageView& answer, FleetDevice& device) {
    std::size_t used = 0;
    for (const coap::OptionView& option : answer.options()) {
        if (option.number != coap::OptionNumber::location_path) continue;
        const std::size_t separator = used == 0 ? 0 : 1;
        if (used + separator + option.value.size() > device.location.size()) return false;
        if (separator != 0) device.location[used++] = '/';
        std::memcpy(device.location.data() + used, option.value.data(), option.value.size());
        used += option.value.size();
    }
    device.location_size = static_cast<std::uint8_t>(used);
    return used != 0;
}

Code code_of(const coap::MessageView* answer) {
    return answer == nullptr ? Code::empty : answer->code();
}

}  // namespace

Fleet::Core::Core(const FleetProfile& profile, std::size_t count, FleetSink& sink, Now now)
    : profile_(profile), sink_(sink), origin_(now.steady), now_(now), devices_(count), wheel_(now.steady) {
    wheel_.reserve(count);
    const auto queue_bound = static_cast<std::uint32_t>(std::clamp(profile.queue_mode_share, 0.0, 1.0) * 1'000'000);
    for (std::size_t index = 0; index < count; ++index) {
        FleetDevice& device = devices_[index];
        device.random = SmallRandom(profile.seed, profile.first_number + index);
        device.queue_mode = device.random.below(1'000'000) < queue_bound;
        device.next_mid = static_cast<std::uint16_t>(device.random.next());
        device.lifetime_s = profile.lifetime_s;
        device.sensor.start(device.random, now.wall_ms);
        if (profile.counting) device.sensor = {0, 0, 0};
    }
}

void Fleet::Core::enter(Now now) {
    now_ = now;
    const auto since = now.steady - origin_;
    now_ms_ = static_cast<FleetMillis>(std::chrono::duration_cast<milliseconds>(since).count());
    now_us_ = static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::microseconds>(since).count());
}

SteadyTime Fleet::Core::steady(FleetMillis time) const {
    return now_.steady + milliseconds(static_cast<std::int32_t>(time - now_ms_));
}

FleetMillis Fleet::Core::after(milliseconds delay) const {
    return now_ms_ + static_cast<FleetMillis>(std::min(delay, kLongestWait).count());
}

std::string Fleet::Core::endpoint(DeviceIndex index) const {
    return profile_.endpoints.name(profile_.first_number + index);
}

void Fleet::Core::start(DeviceIndex index, SteadyTime at) {
    FleetDevice& device = devices_[index];
    const auto delay = std::chrono::duration_cast<milliseconds>(std::max(at - now_.steady, Duration::zero()));
    lose_registration(device, delay);
    rearm(index);
}

void Fleet::Core::advance() {
    wheel_.advance(now_.steady, [this](TimerWheel::Id index) {
        devices_[index].armed = false;
        run_due(index);
    });
}

void Fleet::Core::run_due(DeviceIndex index) {
    FleetDevice& device = devices_[index];
    if (device.pending.kind != ExchangeKind::none && reached(device.pending.retry_at, now_ms_)) retry(index);
    const bool idle = device.pending.kind == ExchangeKind::none;
    if (device.state == DeviceState::unregistered && idle && reached(device.register_at, now_ms_)) {
        open_exchange(index, ExchangeKind::register_);
    }
    if (device.state == DeviceState::registered) {
        const bool periodic = device.lifetime_s != 0 && reached(device.update_at, now_ms_);
        if (idle && (periodic || device.lifetime_changed)) open_exchange(index, ExchangeKind::update);
        if (profile_.sample_interval.count() != 0 && reached(device.sample_at, now_ms_)) {
            sample(device);
            device.sample_at = after(profile_.sample_interval);
        }
        notify_due(index);
    }
    rearm(index);
}

FleetMillis Fleet::Core::next_time(const FleetDevice& device) const {
    FleetMillis next = after(kLongestWait);
    const auto consider = [&](FleetMillis time) {
        if (static_cast<std::int32_t>(time - next) < 0) next = time;
    };
    const bool idle = device.pending.kind == ExchangeKind::none;
    if (!idle) consider(device.pending.retry_at);
    if (device.state == DeviceState::unregistered && idle) consider(device.register_at);
    if (device.state != DeviceState::registered) return next;
    if (idle && device.lifetime_s != 0) consider(device.update_at);
    if (profile_.sample_interval.count() != 0) consider(device.sample_at);
    for (const ObservationSlot& slot : device.slots) {
        if (!slot.active || (!idle && slot.due)) continue;
        if (const auto time = notify_time(device, slot)) consider(*time);
    }
    return next;
}

// A timer that fires too early costs less than moving it for every exchange, so it is only ever moved forward.
void Fleet::Core::rearm(DeviceIndex index) {
    FleetDevice& device = devices_[index];
    const FleetMillis next = next_time(device);
    if (device.armed && static_cast<std::int32_t>(next - device.armed_at) >= 0) return;
    device.armed = true;
    device.armed_at = next;
    wheel_.schedule(index, steady(next));
}

bool Fleet::Core::may_begin(DeviceIndex index, ExchangeKind kind) const {
    const FleetDevice& device = devices_[index];
    if (device.pending.kind != ExchangeKind::none) return false;
    return kind == ExchangeKind::register_ || device.state == DeviceState::registered;
}

bool Fleet::Core::begin(DeviceIndex index, ExchangeKind kind) {
    if (!may_begin(index, kind)) return false;
    open_exchange(index, kind);
    rearm(index);
    return true;
}

void Fleet::Core::open_exchange(DeviceIndex index, ExchangeKind kind) {
    FleetDevice& device = devices_[index];
    PendingExchange& pending = device.pending;
    pending.kind = kind;
    pending.mid = device.next_mid++;
    pending.transmissions = 1;
    pending.acknowledged = false;
    pending.first_sent_us = now_us_;
    pending.sensor = device.sensor;
    const auto timeout = static_cast<std::uint32_t>(profile_.ack_timeout.count());
    pending.timeout_ms = timeout + device.random.below(timeout / 2 + 1);  // ACK_RANDOM_FACTOR 1.5
    pending.retry_at = now_ms_ + pending.timeout_ms;
    transmit_pending(index);
}

void Fleet::Core::retry(DeviceIndex index) {
    PendingExchange& pending = devices_[index].pending;
    if (pending.acknowledged || pending.transmissions > profile_.max_retransmit) {
        finish(index, ExchangeOutcome::timed_out, nullptr);
        return;
    }
    ++pending.transmissions;
    pending.timeout_ms *= 2;
    pending.retry_at = now_ms_ + pending.timeout_ms;
    ++counters_.retransmissions;
    transmit_pending(index);
}

void Fleet::Core::receive(DeviceIndex index, ByteView datagram) {
    ++counters_.datagrams_received;
    coap::MessageView message;
    if (message.decode(datagram) != coap::DecodeError::none) {
        ++counters_.malformed;
        return;
    }
    if (message.type() == coap::Type::acknowledgement) {
        on_acknowledgement(index, message);
    } else if (message.type() == coap::Type::reset) {
        on_reset(index, message.mid());
    } else if (coap::is_request(message.code())) {
        on_request(index, message);
    } else if (coap::is_response(message.code())) {
        on_response(index, message);
    } else if (message.type() == coap::Type::confirmable) {
        transmit_empty(index, coap::Type::reset, message.mid());  // a ping, RFC 7252 section 4.3
    }
}

void Fleet::Core::on_acknowledgement(DeviceIndex index, const coap::MessageView& message) {
    PendingExchange& pending = devices_[index].pending;
    if (pending.kind == ExchangeKind::none || pending.mid != message.mid()) {
        ++counters_.unmatched;
        return;
    }
    if (message.code() == Code::empty && pending.kind != ExchangeKind::notify) {
        pending.acknowledged = true;
        pending.retry_at = after(kSeparateWait);
        return;
    }
    finish(index, ExchangeOutcome::answered, &message);
}

void Fleet::Core::on_reset(DeviceIndex index, std::uint16_t mid) {
    FleetDevice& device = devices_[index];
    if (device.pending.kind != ExchangeKind::none && device.pending.mid == mid) {
        finish(index, ExchangeOutcome::reset, nullptr);
        return;
    }
    for (ObservationSlot& slot : device.slots) {
        if (slot.active && slot.last_mid == mid) end_observation(slot);
    }
}

void Fleet::Core::on_response(DeviceIndex index, const coap::MessageView& message) {
    const PendingExchange& pending = devices_[index].pending;
    const bool ours = message.token().size() == 2;
    if (message.type() == coap::Type::confirmable) {
        transmit_empty(index, ours ? coap::Type::acknowledgement : coap::Type::reset, message.mid());
    }
    const bool awaited = pending.kind != ExchangeKind::none && pending.kind != ExchangeKind::notify;
    const std::array<std::uint8_t, 2> token{static_cast<std::uint8_t>(pending.mid >> 8),
                                            static_cast<std::uint8_t>(pending.mid)};
    if (!ours || !awaited || message.token() != coap::Token(token)) {
        ++counters_.unmatched;
        return;
    }
    finish(index, ExchangeOutcome::answered, &message);
}

void Fleet::Core::finish(DeviceIndex index, ExchangeOutcome outcome, const coap::MessageView* answer) {
    FleetDevice& device = devices_[index];
    const PendingExchange done = device.pending;
    device.pending.kind = ExchangeKind::none;
    switch (done.kind) {
        case ExchangeKind::register_:
            settle_register(device, outcome, answer);
            break;
        case ExchangeKind::update:
            settle_update(device, outcome, answer);
            break;
        case ExchangeKind::notify:
            settle_notify(device, outcome, done.slot);
            break;
        case ExchangeKind::deregister:
            if (device.state == DeviceState::registered) --counters_.registered_now;
            device.state = DeviceState::off;
            end_observations(device);
            break;
        case ExchangeKind::send:
            settle_send(device, outcome, answer);
            break;
        case ExchangeKind::none:
            break;
    }
    report(index, done, outcome, code_of(answer));
    if (device.pending.kind == ExchangeKind::none) run_due(index);
}

void Fleet::Core::report(DeviceIndex index, const PendingExchange& done, ExchangeOutcome outcome, Code code) {
    ExchangeReport report;
    report.device = index;
    report.kind = done.kind;
    report.outcome = outcome;
    report.code = code;
    report.latency_us = now_us_ - done.first_sent_us;
    report.transmissions = done.transmissions;
    report.value = degrees(done.sensor.value);
    report.sequence = done.sequence;
    if (done.kind == ExchangeKind::notify) report.path = observable_path(devices_[index].slots[done.slot].observed);
    if (done.kind == ExchangeKind::send) report.path = observable_path(0);
    if (done.kind != ExchangeKind::notify && done.kind != ExchangeKind::send) {
        report.location = {devices_[index].location.data(), devices_[index].location_size};
    }
    sink_.on_finished(report);
}

void Fleet::Core::settle_register(FleetDevice& device, ExchangeOutcome outcome, const coap::MessageView* answer) {
    const bool created = outcome == ExchangeOutcome::answered && answer->code() == Code::created;
    if (created && read_location(*answer, device)) {
        if (device.state != DeviceState::registered) ++counters_.registered_now;
        device.state = DeviceState::registered;
        device.failures = 0;
        device.lifetime_changed = false;
        end_observations(device);  // a registration begins without observations, Core 1.2 section 6.4.1
        schedule_update(device);
        const auto interval = static_cast<std::uint32_t>(profile_.sample_interval.count());
        if (interval != 0) device.sample_at = now_ms_ + device.random.below(interval) + 1;
        return;
    }
    const bool busy = outcome == ExchangeOutcome::answered && answer->code() == Code::service_unavailable;
    lose_registration(device, busy ? max_age_wait(device, *answer) : backoff(device));
}

void Fleet::Core::settle_update(FleetDevice& device, ExchangeOutcome outcome, const coap::MessageView* answer) {
    if (outcome != ExchangeOutcome::answered) {
        lose_registration(device, milliseconds(device.random.below(kRegisterJitterMs)));
        return;
    }
    switch (answer->code()) {
        case Code::changed:
            device.lifetime_changed = false;
            schedule_update(device);
            break;
        case Code::service_unavailable:
            device.update_at = after(max_age_wait(device, *answer));
            break;
        case Code::not_found:
            lose_registration(device, milliseconds(device.random.below(kRegisterJitterMs)));
            break;
        default:
            lose_registration(device, backoff(device));
            break;
    }
}

void Fleet::Core::settle_notify(FleetDevice& device, ExchangeOutcome outcome, std::uint8_t slot) {
    if (outcome == ExchangeOutcome::reset) end_observation(device.slots[slot]);
    if (outcome == ExchangeOutcome::timed_out) lose_registration(device, backoff(device));
}

// A Send names no registration: a server that does not know the address answers 4.04, and an Update tells it.
void Fleet::Core::settle_send(FleetDevice& device, ExchangeOutcome outcome, const coap::MessageView* answer) {
    if (outcome == ExchangeOutcome::timed_out) lose_registration(device, backoff(device));
    if (outcome == ExchangeOutcome::answered && answer->code() == Code::not_found) device.update_at = now_ms_;
}

void Fleet::Core::lose_registration(FleetDevice& device, milliseconds delay) {
    if (device.state == DeviceState::registered) --counters_.registered_now;
    device.state = DeviceState::unregistered;
    device.register_at = after(delay);
    end_observations(device);
}

void Fleet::Core::schedule_update(FleetDevice& device) {
    const std::uint64_t from = std::uint64_t{device.lifetime_s} * 10 * profile_.update_from_percent;
    const std::uint64_t to = std::uint64_t{device.lifetime_s} * 10 * profile_.update_to_percent;
    const std::uint64_t width = std::min<std::uint64_t>(to - std::min(from, to), 0xffffffffU);
    device.update_at = after(milliseconds(from + device.random.below(static_cast<std::uint32_t>(width) + 1)));
}

milliseconds Fleet::Core::backoff(FleetDevice& device) const {
    const unsigned shift = std::min<unsigned>(device.failures, 5);
    if (device.failures < 255) ++device.failures;
    const milliseconds base = std::min(kFirstBackoff * (1U << shift), kLongestBackoff);
    return base + milliseconds(device.random.below(static_cast<std::uint32_t>(base.count()) / 2 + 1));
}

milliseconds Fleet::Core::max_age_wait(FleetDevice& device, const coap::MessageView& answer) {
    const std::uint64_t max_age = answer.find_uint(coap::OptionNumber::max_age).value_or(kDefaultMaxAge);
    const auto base = static_cast<std::uint32_t>(std::min(max_age, kGreatestMaxAge) * 1'000);
    return milliseconds(base + device.random.below(base / 2 + kRegisterJitterMs));
}

}  // namespace lanyard::device
