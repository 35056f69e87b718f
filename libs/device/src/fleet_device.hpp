#pragma once

#include <array>
#include <cstdint>

#include "device/attribute_table.hpp"
#include "device/fleet.hpp"
#include "device/limits.hpp"
#include "device/temperature_sensor.hpp"

namespace lanyard::device {

// Milliseconds since the fleet was made; wraps after 49 days, so only differences of near times are meaningful.
using FleetMillis = std::uint32_t;

enum class DeviceState : std::uint8_t { off, unregistered, registered };

// One observation that a server has of a device.
struct ObservationSlot {
    std::array<std::uint8_t, 8> token{};
    CentiCelsius notified = 0;
    CentiCelsius previous = 0;
    std::uint32_t sequence = 1;  // the next Observe value, RFC 7641 section 4.4
    FleetMillis notified_at = 0;
    std::uint16_t format = 0;  // of the notifications: a Content-Format
    std::uint16_t last_mid = 0;
    std::uint8_t token_size = 0;
    std::uint8_t observed = 0;  // observable_number()
    bool active = false;
    bool due = false;  // the condition was met; waits for pmin or for the exchange before
};

// What is outstanding, with everything needed to send exactly the same bytes again.
struct PendingExchange {
    std::uint32_t first_sent_us = 0;
    std::uint32_t sequence = 0;
    FleetMillis retry_at = 0;
    std::uint32_t timeout_ms = 0;
    std::uint16_t mid = 0;
    TemperatureSensor sensor;
    ExchangeKind kind = ExchangeKind::none;
    std::uint8_t slot = 0;
    std::uint8_t transmissions = 0;
    bool acknowledged = false;  // by an empty ACK: the answer comes as a message of its own
};

struct FleetDevice {
    std::array<ObservationSlot, kMaxFleetObservations> slots;
    PendingExchange pending;
    std::array<char, kMaxLocationBytes> location{};
    std::uint32_t lifetime_s = 0;
    FleetMillis register_at = 0;  // unregistered: when to try (again)
    FleetMillis update_at = 0;
    FleetMillis sample_at = 0;
    FleetMillis sent_at = 0;  // for the awake time of queue mode
    FleetMillis armed_at = 0;
    SmallRandom random;
    TemperatureSensor sensor;
    AttributeTable::SetId attributes = AttributeTable::kNone;
    std::uint16_t next_mid = 0;
    std::uint8_t location_size = 0;
    std::uint8_t failures = 0;  // registrations in a row
    DeviceState state = DeviceState::off;
    bool queue_mode : 1 = false;
    bool armed : 1 = false;
    bool lifetime_changed : 1 = false;
};
static_assert(sizeof(FleetDevice) <= 200);

// Whether `time` has come at `now`, across the wrap.
constexpr bool reached(FleetMillis time, FleetMillis now) {
    return static_cast<std::int32_t>(now - time) >= 0;
}

}  // namespace lanyard::device
