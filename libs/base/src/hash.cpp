#include "base/hash.hpp"

#include <bit>

namespace lanyard {
namespace {

std::uint64_t load_le(const std::uint8_t* at, std::size_t width) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < width; ++i) value |= std::uint64_t{at[i]} << (8 * i);
    return value;
}

struct SipState {
    std::uint64_t v0, v1, v2, v3;

    void rounds(int count) {
        for (int i = 0; i < count; ++i) {
            v0 += v1, v1 = std::rotl(v1, 13), v1 ^= v0, v0 = std::rotl(v0, 32);
            v2 += v3, v3 = std::rotl(v3, 16), v3 ^= v2;
            v0 += v3, v3 = std::rotl(v3, 21), v3 ^= v0;
            v2 += v1, v1 = std::rotl(v1, 17), v1 ^= v2, v2 = std::rotl(v2, 32);
        }
    }
    void absorb(std::uint64_t word) {
        v3 ^= word;
        rounds(2);
        v0 ^= word;
    }
};

}  // namespace

std::uint32_t murmur2(ByteView key) {
    constexpr std::uint32_t kMultiplier = 0x5bd1e995;
    constexpr std::uint32_t kKafkaSeed = 0x9747b28c;
    std::uint32_t hash = kKafkaSeed ^ static_cast<std::uint32_t>(key.size());
    std::size_t at = 0;
    for (; key.size() - at >= 4; at += 4) {
        auto word = static_cast<std::uint32_t>(load_le(key.data() + at, 4));
        word *= kMultiplier;
        word ^= word >> 24;
        word *= kMultiplier;
        hash = (hash * kMultiplier) ^ word;
    }
    if (at < key.size()) {
        hash ^= static_cast<std::uint32_t>(load_le(key.data() + at, key.size() - at));
        hash *= kMultiplier;
    }
    hash ^= hash >> 13;
    hash *= kMultiplier;
    return hash ^ (hash >> 15);
}

std::uint64_t siphash24(const SipKey& key, ByteView input) {
    const std::uint64_t k0 = load_le(key.data(), 8);
    const std::uint64_t k1 = load_le(key.data() + 8, 8);
    SipState state{k0 ^ 0x736f6d6570736575ULL, k1 ^ 0x646f72616e646f6dULL, k0 ^ 0x6c7967656e657261ULL,
                   k1 ^ 0x7465646279746573ULL};
    std::size_t at = 0;
    for (; input.size() - at >= 8; at += 8) state.absorb(load_le(input.data() + at, 8));
    const std::uint64_t tail = load_le(input.data() + at, input.size() - at);
    state.absorb(tail | (static_cast<std::uint64_t>(input.size()) << 56));
    state.v2 ^= 0xff;
    state.rounds(4);
    return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

}  // namespace lanyard
