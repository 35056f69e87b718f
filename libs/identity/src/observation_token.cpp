#include "identity/observation_token.hpp"

namespace lanyard::identity {
namespace {

std::uint16_t token_mac(const SipKey& key, DeviceNumber device, std::uint16_t spec, std::uint32_t generation) {
    std::array<std::uint8_t, 11> input{'o'};  // the letter keeps tokens and registration ids apart under one key
    for (std::size_t i = 0; i < 4; ++i) {
        input[1 + i] = static_cast<std::uint8_t>(device.value >> (24 - 8 * i));
        input[7 + i] = static_cast<std::uint8_t>(generation >> (24 - 8 * i));
    }
    input[5] = static_cast<std::uint8_t>(spec >> 8);
    input[6] = static_cast<std::uint8_t>(spec);
    return static_cast<std::uint16_t>(siphash24(key, input));
}

}  // namespace

std::array<std::uint8_t, kObservationTokenSize> make_observation_token(const SipKey& key, DeviceNumber device,
                                                                       std::uint16_t spec, std::uint32_t generation) {
    const std::uint16_t mac = token_mac(key, device, spec, generation);
    const std::uint64_t word = (std::uint64_t{device.value} << 32) | (std::uint64_t{spec} << 16) | mac;
    std::array<std::uint8_t, kObservationTokenSize> token{};
    for (std::size_t i = 0; i < token.size(); ++i) token[i] = static_cast<std::uint8_t>(word >> (56 - 8 * i));
    return token;
}

std::optional<ObservationToken> parse_observation_token(ByteView token) {
    if (token.size() != kObservationTokenSize) return std::nullopt;
    ByteReader reader(token);
    ObservationToken parsed;
    parsed.device.value = reader.u32();
    parsed.spec = reader.u16();
    parsed.mac = reader.u16();
    if (parsed.device.value == 0) return std::nullopt;
    return parsed;
}

bool verify_observation_token(const SipKey& key, const ObservationToken& token, std::uint32_t generation) {
    return token_mac(key, token.device, token.spec, generation) == token.mac;
}

}  // namespace lanyard::identity
