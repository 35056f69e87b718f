#include <algorithm>

#include "fleet_core.hpp"

namespace lanyard::device {
namespace {

constexpr std::uint8_t kTemperature = 0;      // observable_number() of /3303/0/5700
constexpr std::uint8_t kLastTemperature = 2;  // /3303/0 and /3303 cover it

bool covers_temperature(const ObservationSlot& slot) {
    return slot.observed >= kTemperature && slot.observed <= kLastTemperature;
}

FleetMillis milliseconds_of(std::uint32_t seconds) {
    return static_cast<FleetMillis>(std::min<std::uint64_t>(std::uint64_t{seconds} * 1'000, 0x7fffffff));
}

}  // namespace

const ObservationSlot* Fleet::Core::temperature_slot(const FleetDevice& device) {
    for (const ObservationSlot& slot : device.slots) {
        if (slot.active && covers_temperature(slot)) return &slot;
    }
    return nullptr;
}

void Fleet::Core::measure(DeviceIndex index) {
    take_value(devices_[index]);
}

void Fleet::Core::take_value(FleetDevice& device) {
    if (profile_.counting) {
        device.sensor.count();
    } else {
        device.sensor.sample(device.random, now_.wall_ms);
    }
}

void Fleet::Core::sample(FleetDevice& device) {
    const CentiCelsius before = device.sensor.value;
    take_value(device);
    for (ObservationSlot& slot : device.slots) {
        if (!slot.active || !covers_temperature(slot)) continue;
        slot.previous = before;
        const NotifyRules rules = attributes_.rules(device.attributes, observable_path(slot.observed));
        const ValueHistory history{degrees(slot.notified), degrees(before), degrees(device.sensor.value)};
        slot.due = slot.due || condition_met(rules, history);
    }
}

// When the observation has to be looked at again: a met condition waits for pmin, pmax stands on its own.
std::optional<FleetMillis> Fleet::Core::notify_time(const FleetDevice& device, const ObservationSlot& slot) const {
    const NotifyRules rules = attributes_.rules(device.attributes, observable_path(slot.observed));
    if (slot.due) return slot.notified_at + milliseconds_of(rules.pmin_s);
    if (rules.pmax_s != 0) return slot.notified_at + milliseconds_of(rules.pmax_s);
    return std::nullopt;
}

bool Fleet::Core::must_notify(const FleetDevice& device, const ObservationSlot& slot) const {
    if (!slot.active) return false;
    const std::optional<FleetMillis> time = notify_time(device, slot);
    return time && reached(*time, now_ms_);
}

// Spreads the NON notifications evenly, so that every share is met exactly in the long run.
bool Fleet::Core::wants_confirmable(const FleetDevice& device, const ObservationSlot& slot) const {
    if (attributes_.rules(device.attributes, observable_path(slot.observed)).confirmable) return true;
    const auto non_up_to = [&](std::uint32_t count) { return static_cast<std::uint64_t>(count * profile_.non_share); };
    return non_up_to(slot.sequence + 1) == non_up_to(slot.sequence);
}

void Fleet::Core::notify_due(DeviceIndex index) {
    FleetDevice& device = devices_[index];
    for (std::size_t slot = 0; slot < device.slots.size(); ++slot) {
        if (device.pending.kind != ExchangeKind::none) return;  // NSTART 1; finish() comes back here
        if (!must_notify(device, device.slots[slot])) continue;
        notify(index, static_cast<std::uint8_t>(slot), wants_confirmable(device, device.slots[slot]));
    }
}

void Fleet::Core::notify(DeviceIndex index, std::uint8_t slot_number, bool confirmable) {
    FleetDevice& device = devices_[index];
    ObservationSlot& slot = device.slots[slot_number];
    slot.due = false;
    slot.notified = device.sensor.value;
    slot.notified_at = now_ms_;
    PendingExchange what;
    what.sensor = device.sensor;
    what.sequence = slot.sequence++;
    if (confirmable) {
        ++counters_.notifications_con;
        device.pending.slot = slot_number;
        device.pending.sequence = what.sequence;
        open_exchange(index, ExchangeKind::notify);
        slot.last_mid = device.pending.mid;
        return;
    }
    ++counters_.notifications_non;
    what.mid = slot.last_mid = device.next_mid++;
    transmit(index, build_notification(index, slot, coap::Type::non_confirmable, what));
}

bool Fleet::Core::trigger_notification(DeviceIndex index, bool confirmable) {
    const FleetDevice& device = devices_[index];
    const ObservationSlot* slot = temperature_slot(device);
    if (slot == nullptr || device.pending.kind != ExchangeKind::none) return false;
    measure(index);
    notify(index, static_cast<std::uint8_t>(slot - device.slots.data()), confirmable);
    rearm(index);
    return true;
}

void Fleet::Core::end_observation(ObservationSlot& slot) {
    if (slot.active) ++counters_.observations_ended;
    slot.active = false;
    slot.due = false;
}

void Fleet::Core::end_observations(FleetDevice& device) {
    for (ObservationSlot& slot : device.slots) end_observation(slot);
}

}  // namespace lanyard::device
