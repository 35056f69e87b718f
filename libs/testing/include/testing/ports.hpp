#pragma once

#include <cstdint>

namespace lanyard::testing {

// A TCP and UDP port of 127.0.0.1 that nobody uses now, for a server that a test starts, kills and starts again: it is
// this process's until it ends. It lies outside the range from which the kernel serves outgoing connections, which may
// otherwise take it while the server is down. Tests side by side, in Python too (tests/support/ports.py), keep clear of
// each other by an abstract UNIX socket for each port. Throws when no port is left. Thread-safe.
[[nodiscard]] std::uint16_t reserve_port();

}  // namespace lanyard::testing
