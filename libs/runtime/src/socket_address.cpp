#include "runtime/socket_address.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace lanyard::runtime {
namespace {

Error bad_address(std::string_view text) {
    return make_error(Errc::invalid_argument, "\"" + std::string(text) +
                                                  "\" is not an address: IP:port is expected, as 127.0.0.1:5683 or "
                                                  "[::1]:5683");
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return port;
}

}  // namespace

Result<Address> parse_address(std::string_view text) {
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) return bad_address(text);
    const auto port = parse_port(text.substr(colon + 1));
    std::string host(text.substr(0, colon));
    const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
    if (!port) return bad_address(text);

    if (!bracketed) {
        in_addr v4{};
        if (inet_pton(AF_INET, host.c_str(), &v4) != 1) return bad_address(text);
        return Address::v4(ntohl(v4.s_addr), *port);
    }
    Address address;
    address.port = *port;
    if (inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), address.ip.data()) != 1) return bad_address(text);
    return address;
}

std::string to_string(const Address& address) {
    std::string text;
    to_string(address, text);
    return text;
}

void to_string(const Address& address, std::string& text) {
    char host[INET6_ADDRSTRLEN] = {};
    const bool v4 = address.is_v4();
    inet_ntop(v4 ? AF_INET : AF_INET6, address.ip.data() + (v4 ? 12 : 0), host, sizeof host);
    std::array<char, 5> port{};
    char* const end = std::to_chars(port.data(), port.data() + port.size(), address.port).ptr;
    text.assign(v4 ? "" : "[").append(host).append(v4 ? ":" : "]:").append(port.data(), end);
}

bool is_loopback(const Address& address) {
    if (address.is_v4()) return address.ip[12] == 127;
    return std::all_of(address.ip.begin(), address.ip.end() - 1, [](auto byte) { return byte == 0; }) &&
           address.ip[15] == 1;
}

bool is_unspecified(const Address& address) {
    const auto from = address.is_v4() ? address.ip.begin() + 12 : address.ip.begin();
    return std::all_of(from, address.ip.end(), [](auto byte) { return byte == 0; });
}

Address from_sockaddr(const sockaddr& from) {
    if (from.sa_family == AF_INET) {
        sockaddr_in v4;
        std::memcpy(&v4, &from, sizeof v4);
        return Address::v4(ntohl(v4.sin_addr.s_addr), ntohs(v4.sin_port));
    }
    Address address;
    if (from.sa_family == AF_INET6) {
        sockaddr_in6 v6;
        std::memcpy(&v6, &from, sizeof v6);
        std::memcpy(address.ip.data(), &v6.sin6_addr, address.ip.size());
        address.port = ntohs(v6.sin6_port);
    }
    return address;
}

unsigned to_sockaddr(const Address& address, bool as_v6, sockaddr_storage& to) {
    if (address.is_v4() && !as_v6) {
        sockaddr_in v4{};
        v4.sin_family = AF_INET;
        v4.sin_port = htons(address.port);
        std::memcpy(&v4.sin_addr, address.ip.data() + 12, 4);
        std::memcpy(&to, &v4, sizeof v4);
        return sizeof v4;
    }
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(address.port);
    std::memcpy(&v6.sin6_addr, address.ip.data(), address.ip.size());
    std::memcpy(&to, &v6, sizeof v6);
    return sizeof v6;
}

}  // namespace lanyard::runtime
