#pragma once

#include <cstdint>

#include "base/address.hpp"

namespace lanyard::coap {

// Whom an endpoint talks to: the key of all its tables, and opaque to it except for equality. On plain UDP the
// remote address and our own listener; a secured session may use any other encoding that is stable for as long as
// the security context lives (RFC 7252 section 9.1.1).
struct PeerId {
    Address address;
    // Which of our sockets or sessions; chosen by the owner of the endpoint.
    std::uint32_t listener = 0;

    friend bool operator==(const PeerId&, const PeerId&) = default;
};

// Keyed hash: peers choose their addresses, so tables keyed by them mix in a secret seed.
struct PeerHash {
    std::uint64_t seed = 0;

    std::uint64_t operator()(const PeerId& peer) const {
        std::uint64_t high = 0;
        std::uint64_t low = 0;
        std::memcpy(&high, peer.address.ip.data(), 8);
        std::memcpy(&low, peer.address.ip.data() + 8, 8);
        const std::uint64_t rest = (std::uint64_t{peer.listener} << 16) | peer.address.port;
        return mix64(mix64(mix64(high ^ seed) + low) ^ (rest * 0x9e3779b97f4a7c15ULL));
    }
};

inline std::uint64_t hash_value(const PeerId& peer) {
    return PeerHash{}(peer);
}

}  // namespace lanyard::coap
