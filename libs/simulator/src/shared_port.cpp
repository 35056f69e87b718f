#include <array>
#include <cstring>

#include "fleet_port.hpp"
#include "runtime/udp_socket.hpp"
#include "send_batch.hpp"

namespace lanyard::simulator {
namespace {

// Device n has the address 127.64.0.0 + n; all of 127.0.0.0/8 belongs to the host.
constexpr std::uint32_t kFirstAddress = (127U << 24) | (64U << 16);

std::uint32_t v4_of(const Address& address) {
    std::uint32_t value = 0;
    for (std::size_t i = 12; i < 16; ++i) value = value << 8 | address.ip[i];
    return value;
}

class SharedPort final : public FleetPort {
  public:
    explicit SharedPort(runtime::UdpSocket socket) : socket_(std::move(socket)) { poller_.add(socket_.fd(), 0); }

    void send(device::DeviceIndex device, const Address& peer, ByteView datagram) override {
        batch_.add(peer, Address::v4(kFirstAddress + device, 0), datagram);
        if (batch_.full()) flush();
    }
    void flush() override { batch_.send(socket_); }

    std::size_t receive(DatagramSink& sink) override {
        const std::span<runtime::Received> batch = socket_.recv_batch();
        for (const runtime::Received& received : batch) {
            sink.on_datagram(v4_of(received.local) - kFirstAddress, received.peer, received.bytes);
        }
        return batch.size();
    }
    void wait(Duration timeout) override { static_cast<void>(poller_.wait(timeout)); }
    [[nodiscard]] std::uint64_t dropped() const override { return batch_.dropped() + socket_.counters().send_dropped; }

  private:
    runtime::UdpSocket socket_;
    runtime::Poller poller_;
    SendBatch batch_;
};

}  // namespace

Result<std::unique_ptr<FleetPort>> open_shared_port() {
    runtime::UdpOptions options;
    options.reuse_port = false;
    options.want_local_address = true;
    Result<runtime::UdpSocket> socket = runtime::UdpSocket::bind(Address::v4(0, 0), options);
    if (!socket) return socket.error();
    return std::unique_ptr<FleetPort>(std::make_unique<SharedPort>(std::move(*socket)));
}

}  // namespace lanyard::simulator
