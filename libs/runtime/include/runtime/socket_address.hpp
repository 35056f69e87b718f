#pragma once

#include <string>
#include <string_view>

#include "base/address.hpp"
#include "base/error.hpp"

struct sockaddr;
struct sockaddr_storage;

namespace lanyard::runtime {

// "127.0.0.1:5683", "[::1]:5683", "0.0.0.0:0". IP literals only (no names), the port is required.
// IPv4-mapped IPv6 text gives the IPv4 address. Zone ids (fe80::1%eth0) are not supported.
[[nodiscard]] Result<Address> parse_address(std::string_view text);
// The reverse of parse_address.
std::string to_string(const Address& address);
// The same into `text`, whose memory is used again.
void to_string(const Address& address, std::string& text);

bool is_loopback(const Address& address);
// 0.0.0.0 or ::
bool is_unspecified(const Address& address);

// An AF_INET or AF_INET6 socket address; any other family gives the zero Address.
Address from_sockaddr(const sockaddr& from);
// Writes sockaddr_in for IPv4 (sockaddr_in6 with the mapped form if `as_v6`), else sockaddr_in6; returns its length.
unsigned to_sockaddr(const Address& address, bool as_v6, sockaddr_storage& to);

}  // namespace lanyard::runtime
