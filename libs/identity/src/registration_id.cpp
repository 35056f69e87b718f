#include "identity/registration_id.hpp"

#include <array>

namespace lanyard::identity {
namespace {

constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyz234567";  // RFC 4648 section 6, lower case
constexpr std::size_t kRawSize = 15;
using Raw = std::array<std::uint8_t, kRawSize>;

void store_be(std::uint8_t* at, std::uint64_t value, std::size_t width) {
    for (std::size_t i = 0; i < width; ++i) at[i] = static_cast<std::uint8_t>(value >> (8 * (width - 1 - i)));
}

Raw make_raw(const SipKey& key, RegistrationId id) {
    std::array<std::uint8_t, 9> input{'r'};
    store_be(&input[1], id.device.value, 4);
    store_be(&input[5], id.generation, 4);
    Raw raw{};
    store_be(&raw[0], id.device.value, 4);
    store_be(&raw[4], id.generation, 4);
    store_be(&raw[8], siphash24(key, input) & 0x00ff'ffff'ffff'ffffULL, 7);
    return raw;
}

int letter_value(char c) {
    if (c >= 'a' && c <= 'z') return c - 'a';
    if (c >= '2' && c <= '7') return c - '2' + 26;
    return -1;
}

}  // namespace

// 5 bytes are 8 letters; 15 bytes need no padding.
std::string format_registration_id(const SipKey& key, RegistrationId id) {
    const Raw raw = make_raw(key, id);
    std::string text;
    text.reserve(kRegistrationIdLength);
    for (std::size_t block = 0; block < kRawSize; block += 5) {
        std::uint64_t word = 0;
        for (std::size_t i = 0; i < 5; ++i) word = (word << 8) | raw[block + i];
        for (std::size_t i = 0; i < 8; ++i) text.push_back(kAlphabet[(word >> (35 - 5 * i)) & 0x1f]);
    }
    return text;
}

std::optional<RegistrationId> parse_registration_id(const SipKey& key, std::string_view text) {
    if (text.size() != kRegistrationIdLength) return std::nullopt;
    Raw raw{};
    for (std::size_t block = 0; block < 3; ++block) {
        std::uint64_t word = 0;
        for (std::size_t i = 0; i < 8; ++i) {
            const int value = letter_value(text[block * 8 + i]);
            if (value < 0) return std::nullopt;
            word = (word << 5) | static_cast<std::uint64_t>(value);
        }
        store_be(&raw[block * 5], word, 5);
    }
    ByteReader reader(raw);
    RegistrationId id;
    id.device.value = reader.u32();
    id.generation = reader.u32();
    std::uint8_t difference = 0;  // compares without an early exit
    const Raw expected = make_raw(key, id);
    for (std::size_t i = 0; i < kRawSize; ++i) difference |= static_cast<std::uint8_t>(raw[i] ^ expected[i]);
    if (difference != 0 || id.device.value == 0) return std::nullopt;
    return id;
}

}  // namespace lanyard::identity
