#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.hpp"

namespace lanyard {

// MurmurHash2 with the seed of Kafka's default partitioner, so that our sharding of `{tenant}/{endpoint}` and
// Kafka's agree. Stable for ever: stored keys depend on it.
std::uint32_t murmur2(ByteView key);

// SipHash-2-4 (Aumasson, Bernstein 2012): a keyed 64-bit MAC for short inputs that peers can choose.
using SipKey = std::array<std::uint8_t, 16>;
std::uint64_t siphash24(const SipKey& key, ByteView input);

// Spreads the bits of an integer key over 64 bits (the finalizer of MurmurHash3); for hash tables.
constexpr std::uint64_t mix64(std::uint64_t x) {
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdULL;
    x ^= x >> 33;
    x *= 0xc4ceb9fe1a85ec53ULL;
    x ^= x >> 33;
    return x;
}

}  // namespace lanyard
