#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/address.hpp"
#include "base/error.hpp"
#include "device/fleet_profile.hpp"

namespace lanyard::simulator {

inline constexpr std::size_t kMaxDevices = 1'000'000;
// Targets outside loopback IPv4 need a socket for each device.
inline constexpr std::size_t kMaxSocketDevices = 2'000;
inline constexpr std::size_t kMaxWindow = 65'536;

// What a load phase does over and over, each time with the next device.
enum class LoadKind : std::uint8_t {
    updates,        // registration updates without parameters
    notifications,  // confirmable notifications of /3303/0/5700, which must be under observation
    registrations,  // a new registration of a device that has one
    sends,          // the Send operation
    echo,           // plain datagrams to an echo server: the yardstick
};
std::string_view to_string(LoadKind kind);
std::optional<LoadKind> load_kind_from(std::string_view name);

// One stretch of load. Closed loop without `rate_per_s`: as fast as the answers come, `window` outstanding. With it
// open loop, but never more than `window` outstanding; what is held back by that is counted.
struct LoadPhase {
    LoadKind kind = LoadKind::updates;
    std::optional<double> rate_per_s;
    std::size_t window = 256;
    std::chrono::milliseconds duration{10'000};
    // Where to, if not the target of the fleet; for echo.
    std::optional<Address> target;
};

struct SimulateOptions {
    std::size_t count = 100;
    Address target;
    device::FleetProfile profile;
    // Registrations per second while starting; 0 is as fast as they are answered.
    double register_rate_per_s = 1'000;
    // Registrations outstanding while starting.
    std::size_t register_window = 512;
    // How long the fleet lives, starting included. Zero: until stopped, or until the load is done.
    std::chrono::milliseconds duration{0};
    std::optional<LoadPhase> load;
    // After that, or after it was stopped, the devices live on for so long, so that what the server still wants of them
    // is answered.
    std::chrono::milliseconds linger{0};
    // Every device says good-bye at the end.
    bool deregister = false;
    // A file that gets one JSON line for every acknowledgement received (docs in ack_log.hpp); empty: none.
    std::string ack_log;
};

// invalid_argument with the option, its value and what is allowed.
[[nodiscard]] Result<void> validate(const SimulateOptions& options);

// "coap://127.0.0.1:5683", "coap://[::1]:5683"; the port may be left out. IP literals only.
[[nodiscard]] Result<Address> parse_target(std::string_view uri);

}  // namespace lanyard::simulator
