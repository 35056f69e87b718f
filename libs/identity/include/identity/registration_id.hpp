#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/hash.hpp"
#include "identity/device_number.hpp"

namespace lanyard::identity {

// The id in the location `/rd/{id}`: device number (4 bytes), generation (4), mac (7), in lower-case base32
// without padding, 24 characters. Any ingress can read it; the 56-bit mac makes it unguessable, the generation
// makes it never reused (conformance R-14).
struct RegistrationId {
    DeviceNumber device;
    std::uint32_t generation = 0;
};

inline constexpr std::size_t kRegistrationIdLength = 24;

std::string format_registration_id(const SipKey& key, RegistrationId id);
// Empty when malformed or when the mac does not fit.
std::optional<RegistrationId> parse_registration_id(const SipKey& key, std::string_view text);

}  // namespace lanyard::identity
