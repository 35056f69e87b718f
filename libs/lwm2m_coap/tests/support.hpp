#pragma once

#include <array>
#include <string>

#include "base/hex.hpp"
#include "coap/message.hpp"
#include "lwm2m_coap/operation.hpp"

namespace lanyard::lwm2m_coap {

// A whole message as hex, with the message id and token that the golden frames have.
inline std::string frame(const RequestParts& parts, std::uint16_t mid, const std::string& token) {
    std::array<std::uint8_t, 4096> buffer{};
    const coap::Header header{coap::Type::confirmable, parts.method, mid};
    const Bytes token_bytes = from_hex(token).value();
    return to_hex(coap::encode(buffer, header, coap::Token(token_bytes), parts.options, parts.payload));
}

}  // namespace lanyard::lwm2m_coap
