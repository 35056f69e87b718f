#pragma once

#include <array>
#include <cstdint>
#include <cstring>

#include "base/hash.hpp"

namespace lanyard {

// An IP endpoint as 18 flat bytes: IPv4 is kept IPv6-mapped (RFC 4291 section 2.5.5.2), port in host order.
struct Address {
    std::array<std::uint8_t, 16> ip{};
    std::uint16_t port = 0;

    friend bool operator==(const Address&, const Address&) = default;

    [[nodiscard]] bool is_v4() const {
        static constexpr std::array<std::uint8_t, 12> kPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
        return std::memcmp(ip.data(), kPrefix.data(), kPrefix.size()) == 0;
    }
    static Address v4(std::uint32_t host_order, std::uint16_t port) {
        Address a;
        a.ip[10] = a.ip[11] = 0xff;
        for (unsigned i = 0; i < 4; ++i) a.ip[12 + i] = static_cast<std::uint8_t>(host_order >> (24 - 8 * i));
        a.port = port;
        return a;
    }
};

inline std::uint64_t hash_value(const Address& address) {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    std::memcpy(&high, address.ip.data(), 8);
    std::memcpy(&low, address.ip.data() + 8, 8);
    return mix64(high * 31 + low * 0x9e3779b97f4a7c15ULL + address.port);
}

}  // namespace lanyard
