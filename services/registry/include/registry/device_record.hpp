#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/time.hpp"
#include "identity/device_number.hpp"

namespace lanyard::registry {

// The part of a device that people set.
struct DeviceProfile {
    std::string display_name;
    std::map<std::string, std::string> labels;
    friend bool operator==(const DeviceProfile&, const DeviceProfile&) = default;
};

// The part that a Register or Update sets.
struct RegistrationInfo {
    std::string lwm2m_version = "1.1";
    std::string binding;
    std::string sms_number;
    std::string remote_address;          // "ip:port"
    std::string security_mode = "NONE";  // PSK, RPK, X509 or NONE
    std::string object_links;            // as sent
    UnixMillis register_ms = 0;
    friend bool operator==(const RegistrationInfo&, const RegistrationInfo&) = default;
};

// A device as the store keeps it.
struct DeviceRecord {
    identity::DeviceNumber number;
    std::string tenant;
    std::string endpoint;
    bool enabled = true;
    bool registered = false;
    bool queue_mode = false;
    std::uint32_t generation = 0;  // counts Registers
    std::uint32_t epoch = 0;       // counts changes of owner
    std::uint32_t node = 0;        // the owner: incarnation of an ingress process, 0 none
    std::uint16_t shard = 0;       // within it
    std::uint32_t lifetime_s = 0;  // 0 never expires
    std::uint32_t counter = 0;     // counts lifecycle events: event id
    std::uint32_t revision = 0;    // counts changes of what people set: etag
    UnixMillis create_ms = 0;
    DeviceProfile profile;
    RegistrationInfo registration;  // of the last registration, also when it is over
    std::uint32_t pledge_s = 0;     // expires not before it (Unix seconds); 0 never or not registered
    std::uint32_t last_seen_s = 0;  // Unix seconds; 0 never

    // "{tenant}/{endpoint}".
    [[nodiscard]] std::string key() const { return tenant + "/" + endpoint; }
    friend bool operator==(const DeviceRecord&, const DeviceRecord&) = default;
};

enum class LifecycleEvent : std::uint8_t {
    registered = 1,
    updated = 2,
    deregistered = 3,
    expired = 4,
    created = 5,
    changed = 6,
    deleted = 7,
};

// A lifecycle event that waits to be published: what happened, and the device after it.
struct OutboxEntry {
    LifecycleEvent event = LifecycleEvent::registered;
    UnixMillis time_ms = 0;
    DeviceRecord device;
};

// The pledge (ADR 0003): an upper bound of the expiry, two lifetimes and a minute ahead. 0 for lifetime 0.
[[nodiscard]] std::uint32_t pledge_of(UnixMillis now_ms, std::uint32_t lifetime_s);

}  // namespace lanyard::registry
