#pragma once

#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/error.hpp"

namespace lanyard {

// Lower-case hex, two digits a byte.
std::string to_hex(ByteView bytes);
// Accepts both cases and spaces between bytes; anything else is invalid_argument.
[[nodiscard]] Result<Bytes> from_hex(std::string_view text);

}  // namespace lanyard
