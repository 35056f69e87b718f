#pragma once

#include <string>

namespace lanyard::cli {

// 16 random bytes from OpenSSL as 32 hex digits: a cluster key that lives as long as the process.
std::string random_key_hex();

}  // namespace lanyard::cli
