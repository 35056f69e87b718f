#include "testing/ports.hpp"

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace lanyard::testing {
namespace {

constexpr int kFirst = 10000;  // below are ports that well-known services and the demo use
constexpr const char* kEphemeral = "/proc/sys/net/ipv4/ip_local_port_range";

std::vector<std::uint16_t> candidates() {
    int low = 0;
    int high = 0;
    if (!(std::ifstream(kEphemeral) >> low >> high)) throw std::runtime_error(std::string("cannot read ") + kEphemeral);
    std::vector<std::uint16_t> ports;
    for (int port = kFirst; port <= UINT16_MAX; ++port) {
        if (port < low || port > high) ports.push_back(static_cast<std::uint16_t>(port));
    }
    std::shuffle(ports.begin(), ports.end(), std::minstd_rand(std::random_device()()));
    return ports;
}

// Keeps the socket of a reservation that succeeds open as long as this process.
bool reserve(std::uint16_t port) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string name = "lanyard-test-port-" + std::to_string(port);
    std::copy(name.begin(), name.end(), &address.sun_path[1]);  // a name that begins with 0 is abstract, unix(7)
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && bind(fd, reinterpret_cast<const sockaddr*>(&address), size) == 0) return true;
    if (fd >= 0) close(fd);
    return false;
}

bool unused(std::uint16_t port, int type) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    const bool bound = fd >= 0 && bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    if (fd >= 0) close(fd);
    return bound;
}

}  // namespace

std::uint16_t reserve_port() {
    for (const std::uint16_t port : candidates()) {
        if (reserve(port) && unused(port, SOCK_STREAM) && unused(port, SOCK_DGRAM)) return port;
    }
    throw std::runtime_error("no port left for tests: all are in use");
}

}  // namespace lanyard::testing
