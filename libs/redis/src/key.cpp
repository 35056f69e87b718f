#include "redis/key.hpp"

namespace lanyard::redis {
namespace {

constexpr std::uint16_t kSlots = 16384;

// CRC16/XMODEM: polynomial 0x1021, start 0 (Redis Cluster specification, appendix A).
std::uint16_t crc16(std::string_view bytes) {
    unsigned crc = 0;
    for (const char byte : bytes) {
        crc ^= static_cast<unsigned>(static_cast<unsigned char>(byte)) << 8;
        for (int bit = 0; bit < 8; ++bit) crc = (crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1;
        crc &= 0xffff;
    }
    return static_cast<std::uint16_t>(crc);
}

std::string_view hash_tag(std::string_view key) {
    const auto open = key.find('{');
    if (open == std::string_view::npos) return key;
    const auto close = key.find('}', open + 1);
    if (close == std::string_view::npos || close == open + 1) return key;
    return key.substr(open + 1, close - open - 1);
}

}  // namespace

std::string tagged_key(std::string_view prefix, std::string_view tag, std::string_view suffix) {
    std::string key;
    key.reserve(prefix.size() + tag.size() + suffix.size() + 2);
    key += prefix;
    key += '{';
    for (const char c : tag) {
        if (c == '}') {
            key += "%7D";
        } else if (c == '%') {
            key += "%25";
        } else {
            key += c;
        }
    }
    key += '}';
    key += suffix;
    return key;
}

std::uint16_t key_slot(std::string_view key) {
    return static_cast<std::uint16_t>(crc16(hash_tag(key)) % kSlots);
}

}  // namespace lanyard::redis
