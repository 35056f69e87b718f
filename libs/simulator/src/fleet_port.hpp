#pragma once

#include <memory>

#include "base/address.hpp"
#include "base/error.hpp"
#include "device/fleet.hpp"
#include "runtime/poller.hpp"

namespace lanyard::simulator {

class DatagramSink {
  public:
    virtual ~DatagramSink() = default;
    virtual void on_datagram(device::DeviceIndex device, const Address& peer, ByteView datagram) = 0;
};

// The sockets of a fleet: sends as any of its devices, receives for all of them. For one thread.
class FleetPort {
  public:
    virtual ~FleetPort() = default;

    // Copies the datagram into the batch, which goes out when it is full or by flush().
    virtual void send(device::DeviceIndex device, const Address& peer, ByteView datagram) = 0;
    virtual void flush() = 0;
    // One batch of what has arrived; returns how many.
    virtual std::size_t receive(DatagramSink& sink) = 0;
    // Until something may be received, at most `timeout`.
    virtual void wait(Duration timeout) = 0;
    [[nodiscard]] virtual std::uint64_t dropped() const = 0;
};

// One socket for all devices: the source address tells which one it is. For loopback IPv4 targets.
[[nodiscard]] Result<std::unique_ptr<FleetPort>> open_shared_port();
// One socket for each of `count` devices.
[[nodiscard]] Result<std::unique_ptr<FleetPort>> open_socket_ports(const Address& target, std::size_t count);

}  // namespace lanyard::simulator
