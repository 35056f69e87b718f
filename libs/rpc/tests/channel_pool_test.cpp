#include "rpc/channel_pool.hpp"

#include <array>
#include <thread>

#include <arpa/inet.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace lanyard::rpc {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::system_clock;

// A server that takes connections and sends its first frame, an empty SETTINGS (RFC 9113 section 3.4), late.
class LateServer {
  public:
    explicit LateServer(milliseconds delay) : delay_(delay) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* const any = reinterpret_cast<sockaddr*>(&address);
        EXPECT_EQ(bind(listener_, any, size), 0);
        EXPECT_EQ(listen(listener_, 8), 0);
        EXPECT_EQ(getsockname(listener_, any, &size), 0);
        port_ = ntohs(address.sin_port);
        thread_ = std::jthread([this] { serve_one(); });
    }
    ~LateServer() {
        shutdown(listener_, SHUT_RDWR);
        thread_.join();
        close(connection_);
        close(listener_);
    }
    LateServer(const LateServer&) = delete;
    LateServer& operator=(const LateServer&) = delete;
    [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  private:
    void serve_one() {
        connection_ = accept(listener_, nullptr, nullptr);
        std::this_thread::sleep_for(delay_);
        constexpr std::array<unsigned char, 9> kSettings{0, 0, 0, 4, 0, 0, 0, 0, 0};
        (void)send(connection_, kSettings.data(), kSettings.size(), MSG_NOSIGNAL);
    }

    const milliseconds delay_;
    const int listener_ = socket(AF_INET, SOCK_STREAM, 0);
    int connection_ = -1;
    int port_ = 0;
    std::jthread thread_;
};

TEST(RpcChannelPool, KeepsOneChannelForATarget) {
    ChannelPool pool({}, 2);
    const auto one = pool.get("127.0.0.1:1");
    EXPECT_EQ(pool.get("127.0.0.1:1"), one);
    EXPECT_NE(pool.get("127.0.0.1:2"), one);
    EXPECT_EQ(pool.get("127.0.0.1:1"), one);
    EXPECT_NE(pool.get("127.0.0.1:3"), one);  // drops 2, the least recently used
    EXPECT_EQ(pool.size(), 2U);
    EXPECT_EQ(pool.get("127.0.0.1:1"), one);
}

// A busy peer or a far one answers after many times backoff_min. Only the first connection is served here.
TEST(RpcChannelPool, WaitsForAServerThatAnswersLate) {
    const LateServer server(milliseconds(400));
    const auto channel = make_channel(server.address(), {.backoff_max = milliseconds(50)});
    EXPECT_TRUE(channel->WaitForConnected(system_clock::now() + seconds(4)));
}

}  // namespace
}  // namespace lanyard::rpc
