#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/address.hpp"
#include "base/bytes.hpp"
#include "coap/limits.hpp"
#include "runtime/udp_socket.hpp"

namespace lanyard::coap_ingress {

// Datagrams that wait to be sent by one socket, copied into buffers that are made once. For one thread.
class TransmitQueue {
  public:
    static constexpr std::size_t kCapacity = 4 * runtime::kUdpBatch;

    TransmitQueue() : buffers_(kCapacity) {}

    // False when there is no room, or the datagram is too long.
    [[nodiscard]] bool push(const Address& to, ByteView datagram);
    // Sends what the kernel takes; what it does not take stays.
    void flush(runtime::UdpSocket& socket);
    [[nodiscard]] std::size_t size() const { return count_; }
    [[nodiscard]] bool full() const { return count_ == kCapacity; }

  private:
    struct Buffer {
        std::array<std::uint8_t, coap::kMaxDatagramOut> bytes;
        std::size_t size = 0;
        Address to;
    };

    std::vector<Buffer> buffers_;  // a ring
    std::size_t first_ = 0;
    std::size_t count_ = 0;
};

}  // namespace lanyard::coap_ingress
