#include <algorithm>
#include <vector>

#include <sys/resource.h>

#include "fleet_port.hpp"
#include "runtime/udp_socket.hpp"

namespace lanyard::simulator {
namespace {

constexpr std::size_t kSpareDescriptors = 64;

void raise_descriptor_limit(std::size_t wanted) {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return;
    limit.rlim_cur = std::min<rlim_t>(wanted, limit.rlim_max);
    static_cast<void>(setrlimit(RLIMIT_NOFILE, &limit));
}

class SocketPorts final : public FleetPort {
  public:
    explicit SocketPorts(std::vector<runtime::UdpSocket> sockets) : sockets_(std::move(sockets)) {
        for (std::size_t index = 0; index < sockets_.size(); ++index) poller_.add(sockets_[index].fd(), index);
    }

    void send(device::DeviceIndex device, const Address& peer, ByteView datagram) override {
        const runtime::Outgoing outgoing{peer, {}, datagram};
        if (sockets_[device].send_batch(std::span(&outgoing, 1)) == 0) ++dropped_;
    }
    void flush() override {}

    std::size_t receive(DatagramSink& sink) override {
        std::size_t count = 0;
        for (const runtime::Poller::Ready& ready : poller_.wait(Duration::zero())) {
            for (const runtime::Received& received : sockets_[ready.tag].recv_batch()) {
                sink.on_datagram(static_cast<device::DeviceIndex>(ready.tag), received.peer, received.bytes);
                ++count;
            }
        }
        return count;
    }
    void wait(Duration timeout) override { static_cast<void>(poller_.wait(timeout)); }
    [[nodiscard]] std::uint64_t dropped() const override { return dropped_; }

  private:
    std::vector<runtime::UdpSocket> sockets_;
    runtime::Poller poller_;
    std::uint64_t dropped_ = 0;
};

}  // namespace

Result<std::unique_ptr<FleetPort>> open_socket_ports(const Address& target, std::size_t count) {
    raise_descriptor_limit(count + kSpareDescriptors);
    runtime::UdpOptions options;
    options.reuse_port = false;
    options.receive_buffer_bytes = 64U << 10;
    options.send_buffer_bytes = 64U << 10;
    const Address any = target.is_v4() ? Address::v4(0, 0) : Address{};
    std::vector<runtime::UdpSocket> sockets;
    sockets.reserve(count);
    for (std::size_t index = 0; index < count; ++index) {
        Result<runtime::UdpSocket> socket = runtime::UdpSocket::bind(any, options);
        if (!socket) return socket.error();
        sockets.push_back(std::move(*socket));
    }
    return std::unique_ptr<FleetPort>(std::make_unique<SocketPorts>(std::move(sockets)));
}

}  // namespace lanyard::simulator
