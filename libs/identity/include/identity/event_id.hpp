#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace lanyard::identity {

// What makes two received messages the same message (RFC 7252 section 4.5: message id and endpoint; token,
// sequence and payload guard against reuse of the 16-bit id).
struct MessageIdentity {
    std::uint32_t device_number = 0;
    std::uint32_t generation = 0;
    std::uint16_t message_id = 0;
    std::uint32_t observe_sequence = 0;
    ByteView token;
    ByteView payload;
};

// 32 hex digits: the same for each retransmission, also when another ingress receives it.
std::string message_event_id(const MessageIdentity& message);
// The same into `id`, whose memory is used again.
void message_event_id(const MessageIdentity& message, std::string& id);
// Of one value within a message: "{message event id}-{index}".
std::string value_event_id(std::string_view message_event_id, std::size_t index);

}  // namespace lanyard::identity
