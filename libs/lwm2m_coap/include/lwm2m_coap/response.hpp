#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "coap/code.hpp"
#include "lwm2m_coap/operation.hpp"

namespace lanyard::lwm2m_coap {

// Checks the code of a device's answer to an operation.
//
// Ok: a code that Core 1.2 gives for the operation's success. Any other code of class 2 is failed_precondition, as
// the effect is not known; an error code is what to_errc says, with the code and the start of the diagnostic payload
// in the message.
[[nodiscard]] Result<void> check_response(const Operation& operation, coap::Code code, ByteView payload = {});

// The format to decode an answer with. A payload without Content-Format is invalid_argument: guessing it would
// make wrong values. unsupported: a number that decode() does not take.
[[nodiscard]] Result<ContentFormat> format_of(std::optional<std::uint16_t> content_format);

}  // namespace lanyard::lwm2m_coap
