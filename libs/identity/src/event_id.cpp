#include "identity/event_id.hpp"

#include <array>

#include "base/hash.hpp"

namespace lanyard::identity {
namespace {

// Two public constants: the id must be the same on every pod, and need not be secret.
constexpr SipKey kFirstKey{'l', 'a', 'n', 'y', 'a', 'r', 'd', '-', 'e', 'v', 'e', 'n', 't', '-', 'i', '1'};
constexpr SipKey kSecondKey{'l', 'a', 'n', 'y', 'a', 'r', 'd', '-', 'e', 'v', 'e', 'n', 't', '-', 'i', '2'};

std::uint64_t digest(const SipKey& key, const MessageIdentity& message) {
    std::array<std::uint8_t, 38> header{};
    std::size_t at = 0;
    const auto put = [&](std::uint64_t value, std::size_t width) {
        for (std::size_t i = 0; i < width; ++i) header[at++] = static_cast<std::uint8_t>(value >> (8 * i));
    };
    put(message.device_number, 4);
    put(message.generation, 4);
    put(message.message_id, 2);
    put(message.observe_sequence, 4);
    put(message.token.size(), 8);
    put(siphash24(key, message.token), 8);
    put(siphash24(key, message.payload), 8);
    return siphash24(key, header);
}

void append_hex(std::string& text, std::uint64_t value) {
    static constexpr char kDigits[] = "0123456789abcdef";
    for (int shift = 60; shift >= 0; shift -= 4) text.push_back(kDigits[(value >> shift) & 0x0f]);
}

}  // namespace

std::string message_event_id(const MessageIdentity& message) {
    std::string id;
    message_event_id(message, id);
    return id;
}

void message_event_id(const MessageIdentity& message, std::string& id) {
    id.clear();
    id.reserve(32);
    append_hex(id, digest(kFirstKey, message));
    append_hex(id, digest(kSecondKey, message));
}

std::string value_event_id(std::string_view message_event_id, std::size_t index) {
    return std::string(message_event_id) + "-" + std::to_string(index);
}

}  // namespace lanyard::identity
