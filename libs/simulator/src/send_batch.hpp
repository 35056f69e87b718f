#pragma once

#include <array>
#include <cstdint>

#include "base/address.hpp"
#include "base/bytes.hpp"
#include "runtime/udp_socket.hpp"

namespace lanyard::simulator {

// Datagrams that wait for one system call, in buffers of its own.
class SendBatch {
  public:
    static constexpr std::size_t kMaxDatagram = 1'280;

    void add(const Address& peer, const Address& source, ByteView datagram);
    [[nodiscard]] bool full() const { return count_ == entries_.size(); }
    // What the kernel does not take after a short wait is dropped, as a network would.
    void send(runtime::UdpSocket& socket);
    [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

  private:
    std::array<runtime::Outgoing, runtime::kUdpBatch> entries_;
    std::array<std::array<std::uint8_t, kMaxDatagram>, runtime::kUdpBatch> bytes_;
    std::size_t count_ = 0;
    std::uint64_t dropped_ = 0;
};

}  // namespace lanyard::simulator
