#include "random_key.hpp"

#include <array>
#include <cstdint>

#include <openssl/rand.h>

#include "base/assert.hpp"
#include "base/hex.hpp"

namespace lanyard::cli {

std::string random_key_hex() {
    std::array<std::uint8_t, 16> key{};
    LANYARD_ASSERT(RAND_bytes(key.data(), static_cast<int>(key.size())) == 1);
    return to_hex(key);
}

}  // namespace lanyard::cli
