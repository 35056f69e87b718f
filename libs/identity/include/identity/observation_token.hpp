#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "base/hash.hpp"
#include "identity/device_number.hpp"

namespace lanyard::identity {

// The 8-byte CoAP token of every observation, readable by any ingress without a table:
//
//    0               4       6       8
//   +---------------+-------+-------+
//   | device number | spec  |  mac  |   big-endian
//   +---------------+-------+-------+
//
// `spec` is the interned number of what is observed. `mac` is 16 bits of SipHash-2-4 over device number, spec and
// the generation of the registration, so a token of an earlier registration is void (LwM2M core 6.4.1). In NoSec
// mode the mac is all that tells a device from another; with DTLS the session's identity is checked as well.
struct ObservationToken {
    DeviceNumber device;
    std::uint16_t spec = 0;
    std::uint16_t mac = 0;
};

inline constexpr std::size_t kObservationTokenSize = 8;

std::array<std::uint8_t, kObservationTokenSize> make_observation_token(const SipKey& key, DeviceNumber device,
                                                                       std::uint16_t spec, std::uint32_t generation);
// Empty when the length is not 8 or the device number is 0.
std::optional<ObservationToken> parse_observation_token(ByteView token);
bool verify_observation_token(const SipKey& key, const ObservationToken& token, std::uint32_t generation);

}  // namespace lanyard::identity
