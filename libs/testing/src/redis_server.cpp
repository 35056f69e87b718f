#include <stdexcept>
#include <thread>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "testing/ports.hpp"
#include "testing/servers.hpp"

namespace lanyard::testing {
namespace {

constexpr std::chrono::seconds kStartMax{10};

// True when the server on `port` answers an inline PING with anything but "loading".
bool answers_ping(std::uint16_t port) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    char answer[64]{};
    const bool ok = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
                    send(fd, "PING\r\n", 6, MSG_NOSIGNAL) == 6 && recv(fd, answer, sizeof answer - 1, 0) > 0;
    close(fd);
    return ok && !std::string_view(answer).starts_with("-LOADING");
}

}  // namespace

RedisServer::RedisServer(std::string fsync, std::string password)
    : port_(reserve_port()), fsync_(std::move(fsync)), password_(std::move(password)) {}

void RedisServer::start() {
    std::vector<std::string> argv{"redis-server",
                                  "--port",
                                  std::to_string(port_),
                                  "--bind",
                                  "127.0.0.1",
                                  "--dir",
                                  dir_.path().string(),
                                  "--appendonly",
                                  "yes",
                                  "--appendfsync",
                                  fsync_,
                                  "--save",
                                  "",
                                  "--hash-max-listpack-value",
                                  "1024",
                                  "--hash-max-listpack-entries",
                                  "256"};
    if (!password_.empty()) argv.insert(argv.end(), {"--requirepass", password_});
    auto started = Process::start(std::move(argv), dir_.path() / "redis.log");
    if (!started) throw std::runtime_error(started.error().message);
    process_ = std::move(*started);
    const auto until = std::chrono::steady_clock::now() + kStartMax;
    while (!answers_ping(port_)) {
        if (!process_->running() || std::chrono::steady_clock::now() > until) {
            throw std::runtime_error("redis-server did not start, see " + (dir_.path() / "redis.log").string());
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
}

void RedisServer::stop() {
    if (process_) process_->stop(std::chrono::seconds(5));
}

void RedisServer::kill() {
    if (process_) process_->kill();
}

}  // namespace lanyard::testing
