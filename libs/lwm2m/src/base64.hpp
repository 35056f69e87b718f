#pragma once

#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/error.hpp"

namespace lanyard::lwm2m {

// RFC 4648 section 4 with padding, as plain text carries opaque values.
std::string base64(ByteView bytes);
// RFC 4648 section 5 without padding, as SenML JSON carries `vd`.
std::string base64url(ByteView bytes);
// Takes both alphabets, mixed, with or without padding. invalid_argument: any other character, a length that no
// encoder makes, padding in the middle.
Result<Bytes> from_base64(std::string_view text);

}  // namespace lanyard::lwm2m
