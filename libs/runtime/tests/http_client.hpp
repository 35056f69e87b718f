#pragma once

#include <array>
#include <string>
#include <string_view>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "runtime/file_descriptor.hpp"
#include "runtime/socket_address.hpp"

namespace lanyard::runtime {

// A blocking TCP connection for tests, with a limit of ten seconds per read.
class TestConnection {
  public:
    explicit TestConnection(const Address& to) : fd_(::socket(to.is_v4() ? AF_INET : AF_INET6, SOCK_STREAM, 0)) {
        const timeval limit{10, 0};
        setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        sockaddr_storage storage{};
        const socklen_t length = to_sockaddr(to, !to.is_v4(), storage);
        connected_ = ::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&storage), length) == 0;
    }

    [[nodiscard]] bool connected() const { return connected_; }
    void send(std::string_view text) const { (void)::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL); }
    // What comes until `end` or the end of the stream.
    [[nodiscard]] std::string read_until(std::string_view end) const {
        std::string out;
        std::array<char, 4096> part;
        while (end.empty() || out.find(end) == std::string::npos) {
            const ssize_t got = ::recv(fd_.get(), part.data(), part.size(), 0);
            if (got <= 0) break;
            out.append(part.data(), static_cast<std::size_t>(got));
        }
        return out;
    }
    [[nodiscard]] std::string read_all() const { return read_until(""); }

  private:
    FileDescriptor fd_;
    bool connected_ = false;
};

// The whole answer to one request on a connection of its own.
inline std::string http_get(const Address& to, const std::string& target, const std::string& method = "GET") {
    const TestConnection connection(to);
    connection.send(method + " " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    return connection.read_all();
}

}  // namespace lanyard::runtime
