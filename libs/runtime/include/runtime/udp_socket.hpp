#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/address.hpp"
#include "base/bytes.hpp"
#include "base/error.hpp"

namespace lanyard::runtime {

// Datagrams per system call.
inline constexpr std::size_t kUdpBatch = 64;

struct UdpOptions {
    // Several sockets on one address, the kernel spreads flows over them by address hash.
    bool reuse_port = true;
    // Asked of the kernel, which caps it at net.core.rmem_max / wmem_max.
    std::size_t receive_buffer_bytes = 4U << 20;
    std::size_t send_buffer_bytes = 4U << 20;
    // For "[::]:port": also take IPv4, as mapped addresses.
    bool dual_stack = false;
    // Fill Received::local with the address that the peer sent to (IP_PKTINFO). Needed on wildcard sockets of
    // hosts with several addresses so that the answer can leave from the same one.
    bool want_local_address = false;
    // A longer datagram is cut and marked.
    std::size_t max_datagram_bytes = 2048;
};

// One datagram that came in. `bytes` is writable (in-place decryption) and belongs to the socket until its next
// recv_batch().
struct Received {
    Address peer;
    Address local;  // port always; ip only if asked for, else zero
    std::span<std::uint8_t> bytes;
    bool truncated = false;
};

// One datagram to send. A non-zero `source.ip` is the address it leaves from (IP_PKTINFO, ipi_spec_dst), which must
// be one of this host; the source port is always the socket's. `bytes` must live until send_batch() returns.
struct Outgoing {
    Address peer;
    Address source;
    ByteView bytes;
};

struct UdpCounters {
    std::uint64_t received = 0;
    std::uint64_t received_bytes = 0;
    std::uint64_t truncated = 0;
    std::uint64_t sent = 0;
    std::uint64_t sent_bytes = 0;
    std::uint64_t send_blocked = 0;     // EAGAIN: the socket buffer is full, the rest stays with the caller
    std::uint64_t send_no_buffers = 0;  // ENOBUFS: the same, from the device queue
    std::uint64_t send_dropped = 0;     // refused for one destination (unreachable, too long): not retried
    std::uint64_t receive_errors = 0;   // pending ICMP errors and the like, ignored
};

// A non-blocking UDP socket that moves datagrams in batches (recvmmsg, sendmmsg). All buffers are allocated once,
// in bind(). For one thread; fd() goes into a Poller.
class UdpSocket {
  public:
    // Port 0 takes a free one, see local(). Errors: unavailable with the address and the system's reason.
    [[nodiscard]] static Result<UdpSocket> bind(const Address& address, const UdpOptions& options = {});
    UdpSocket(UdpSocket&&) noexcept;
    UdpSocket& operator=(UdpSocket&&) noexcept;
    ~UdpSocket();

    // Up to kUdpBatch datagrams; empty when there are none. Valid until the next call.
    [[nodiscard]] std::span<Received> recv_batch();

    // Tries to send all and returns how many are done with (sent, or dropped for an error of their own). Fewer
    // than given means the kernel is full: keep the rest and try again when the socket is writable.
    [[nodiscard]] std::size_t send_batch(std::span<const Outgoing> datagrams);

    [[nodiscard]] int fd() const;
    // The bound address with the real port.
    [[nodiscard]] const Address& local() const;
    // Written by the owning thread only; copy into metrics from there.
    [[nodiscard]] const UdpCounters& counters() const;

  private:
    struct Impl;
    explicit UdpSocket(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace lanyard::runtime
