#pragma once

#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/error.hpp"

namespace lanyard {

// RFC 4648 section 4, with padding.
std::string base64(ByteView bytes);
void append_base64(std::string& out, ByteView bytes);
// RFC 4648 section 5, without padding.
std::string base64url(ByteView bytes);
// Takes both alphabets, mixed, with or without padding. invalid_argument: any other character, a length that no
// encoder makes, padding in the middle.
[[nodiscard]] Result<Bytes> from_base64(std::string_view text);

}  // namespace lanyard
