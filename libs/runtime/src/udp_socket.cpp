#include "runtime/udp_socket.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/assert.hpp"
#include "runtime/file_descriptor.hpp"
#include "runtime/socket_address.hpp"
#include "system_error.hpp"

namespace lanyard::runtime {
namespace {

// Room for the largest control message we read or write, with its alignment.
struct alignas(cmsghdr) Control {
    std::array<std::uint8_t, CMSG_SPACE(sizeof(in6_pktinfo))> bytes;
};
static_assert(sizeof(in6_pktinfo) >= sizeof(in_pktinfo));

void write_source(msghdr& message, const Address& source, bool socket_is_v6) {
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    if (socket_is_v6) {
        in6_pktinfo info{};
        std::memcpy(&info.ipi6_addr, source.ip.data(), source.ip.size());
        *header = {CMSG_LEN(sizeof info), IPPROTO_IPV6, IPV6_PKTINFO};
        std::memcpy(CMSG_DATA(header), &info, sizeof info);
        message.msg_controllen = CMSG_SPACE(sizeof info);
    } else {
        in_pktinfo info{};
        std::memcpy(&info.ipi_spec_dst, source.ip.data() + 12, 4);
        *header = {CMSG_LEN(sizeof info), IPPROTO_IP, IP_PKTINFO};
        std::memcpy(CMSG_DATA(header), &info, sizeof info);
        message.msg_controllen = CMSG_SPACE(sizeof info);
    }
}

void read_local(msghdr& message, Address& local) {
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_PKTINFO) {
            in_pktinfo info;
            std::memcpy(&info, CMSG_DATA(header), sizeof info);
            local = Address::v4(ntohl(info.ipi_addr.s_addr), local.port);
        } else if (header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_PKTINFO) {
            in6_pktinfo info;
            std::memcpy(&info, CMSG_DATA(header), sizeof info);
            std::memcpy(local.ip.data(), &info.ipi6_addr, local.ip.size());
        }
    }
}

bool set_flag(int fd, int level, int option, int value = 1) {
    return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

// Errors of one datagram, not of the socket: its destination is unknown, unreachable, filtered, or it is too long.
// ECONNREFUSED and the unreachables may also report an earlier datagram; the present one is lost with it, as UDP may.
bool concerns_one_datagram(int error) {
    switch (error) {
        case ECONNREFUSED:
        case EHOSTUNREACH:
        case ENETUNREACH:
        case ENETDOWN:
        case EHOSTDOWN:
        case EMSGSIZE:
        case EINVAL:
        case EADDRNOTAVAIL:
        case EAFNOSUPPORT:
        case EPERM:
        case EACCES:
            return true;
        default:
            return false;
    }
}

}  // namespace

struct UdpSocket::Impl {
    FileDescriptor fd;
    Address local;
    bool is_v6 = false;
    UdpOptions options;
    UdpCounters counters;

    std::vector<std::uint8_t> buffers;
    std::array<sockaddr_storage, kUdpBatch> in_peers{};
    std::array<iovec, kUdpBatch> in_vectors{};
    std::array<Control, kUdpBatch> in_controls{};
    std::array<mmsghdr, kUdpBatch> in_messages{};
    std::array<Received, kUdpBatch> received{};
    std::size_t used = kUdpBatch;

    std::array<sockaddr_storage, kUdpBatch> out_peers{};
    std::array<iovec, kUdpBatch> out_vectors{};
    std::array<Control, kUdpBatch> out_controls{};
    std::array<mmsghdr, kUdpBatch> out_messages{};

    explicit Impl(const UdpOptions& wanted) : options(wanted), buffers(kUdpBatch * wanted.max_datagram_bytes) {}

    bool configure() const;
    void prepare_receive();
    void fill(const Outgoing& datagram, std::size_t slot);
    int send_some(std::span<const Outgoing> datagrams);
};

bool UdpSocket::Impl::configure() const {
    const int f = fd.get();
    if (options.reuse_port && !set_flag(f, SOL_SOCKET, SO_REUSEPORT)) return false;
    if (is_v6 && !set_flag(f, IPPROTO_IPV6, IPV6_V6ONLY, options.dual_stack ? 0 : 1)) return false;
    if (options.want_local_address) {
        const bool asked = is_v6 ? set_flag(f, IPPROTO_IPV6, IPV6_RECVPKTINFO) : set_flag(f, IPPROTO_IP, IP_PKTINFO);
        if (!asked) return false;
    }
    // Smaller buffers than asked for are a matter of tuning, not an error.
    set_flag(f, SOL_SOCKET, SO_RCVBUF, static_cast<int>(options.receive_buffer_bytes));
    set_flag(f, SOL_SOCKET, SO_SNDBUF, static_cast<int>(options.send_buffer_bytes));
    return true;
}

void UdpSocket::Impl::prepare_receive() {
    for (std::size_t i = 0; i < kUdpBatch; ++i) {
        in_vectors[i] = {buffers.data() + i * options.max_datagram_bytes, options.max_datagram_bytes};
        msghdr& message = in_messages[i].msg_hdr;
        message.msg_name = &in_peers[i];
        message.msg_iov = &in_vectors[i];
        message.msg_iovlen = 1;
        message.msg_control = options.want_local_address ? in_controls[i].bytes.data() : nullptr;
    }
}

void UdpSocket::Impl::fill(const Outgoing& datagram, std::size_t slot) {
    out_vectors[slot] = {const_cast<std::uint8_t*>(datagram.bytes.data()), datagram.bytes.size()};
    msghdr& message = out_messages[slot].msg_hdr;
    message = {};
    message.msg_namelen = to_sockaddr(datagram.peer, is_v6, out_peers[slot]);
    message.msg_name = &out_peers[slot];
    message.msg_iov = &out_vectors[slot];
    message.msg_iovlen = 1;
    static constexpr std::array<std::uint8_t, 16> kNoIp{};
    if (datagram.source.ip != kNoIp) {
        message.msg_control = out_controls[slot].bytes.data();
        message.msg_controllen = out_controls[slot].bytes.size();
        write_source(message, datagram.source, is_v6);
    }
}

// One sendmmsg: how many went out, or -1 with errno about the first.
int UdpSocket::Impl::send_some(std::span<const Outgoing> datagrams) {
    const std::size_t count = std::min(datagrams.size(), kUdpBatch);
    for (std::size_t i = 0; i < count; ++i) fill(datagrams[i], i);
    int sent = 0;
    do {
        sent = sendmmsg(fd.get(), out_messages.data(), static_cast<unsigned>(count), MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    for (int i = 0; i < sent; ++i) counters.sent_bytes += datagrams[static_cast<std::size_t>(i)].bytes.size();
    return sent;
}

Result<UdpSocket> UdpSocket::bind(const Address& address, const UdpOptions& options) {
    const auto failed = [&](const char* step) {
        return make_error(Errc::unavailable, "UDP " + to_string(address) + ": " + step + ": " + error_text());
    };
    LANYARD_ASSERT(options.max_datagram_bytes > 0);
    auto impl = std::make_unique<Impl>(options);
    impl->is_v6 = !address.is_v4();
    impl->fd = FileDescriptor(::socket(impl->is_v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!impl->fd.valid()) return failed("socket");
    if (!impl->configure()) return failed("setsockopt");

    sockaddr_storage storage{};
    socklen_t length = to_sockaddr(address, impl->is_v6, storage);
    if (::bind(impl->fd.get(), reinterpret_cast<const sockaddr*>(&storage), length) != 0) return failed("bind");
    length = sizeof storage;
    if (getsockname(impl->fd.get(), reinterpret_cast<sockaddr*>(&storage), &length) != 0) return failed("getsockname");
    impl->local = from_sockaddr(reinterpret_cast<const sockaddr&>(storage));
    impl->prepare_receive();
    return UdpSocket(std::move(impl));
}

UdpSocket::UdpSocket(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
UdpSocket::UdpSocket(UdpSocket&&) noexcept = default;
UdpSocket& UdpSocket::operator=(UdpSocket&&) noexcept = default;
UdpSocket::~UdpSocket() = default;

std::span<Received> UdpSocket::recv_batch() {
    Impl& s = *impl_;
    // Only those that the kernel wrote to since.
    for (std::size_t i = 0; i < s.used; ++i) {
        s.in_messages[i].msg_hdr.msg_namelen = sizeof(sockaddr_storage);
        s.in_messages[i].msg_hdr.msg_controllen = s.options.want_local_address ? sizeof(Control) : 0;
    }
    const int count = recvmmsg(s.fd.get(), s.in_messages.data(), kUdpBatch, MSG_DONTWAIT, nullptr);
    s.used = static_cast<std::size_t>(std::max(count, 0));
    if (count <= 0) {
        if (count < 0 && errno != EAGAIN && errno != EINTR) ++s.counters.receive_errors;
        return {};
    }
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
        msghdr& message = s.in_messages[i].msg_hdr;
        Received& out = s.received[i];
        out.peer = from_sockaddr(reinterpret_cast<const sockaddr&>(s.in_peers[i]));
        out.local = Address{{}, s.local.port};
        if (s.options.want_local_address) read_local(message, out.local);
        out.bytes = {static_cast<std::uint8_t*>(s.in_vectors[i].iov_base), s.in_messages[i].msg_len};
        out.truncated = (message.msg_flags & MSG_TRUNC) != 0;
        s.counters.received_bytes += out.bytes.size();
        s.counters.truncated += out.truncated ? 1U : 0U;
    }
    s.counters.received += static_cast<std::uint64_t>(count);
    return std::span(s.received).first(static_cast<std::size_t>(count));
}

std::size_t UdpSocket::send_batch(std::span<const Outgoing> datagrams) {
    Impl& s = *impl_;
    std::size_t done = 0;
    while (done < datagrams.size()) {
        const int sent = s.send_some(datagrams.subspan(done));
        if (sent > 0) {
            s.counters.sent += static_cast<std::uint64_t>(sent);
            done += static_cast<std::size_t>(sent);
        } else if (concerns_one_datagram(errno)) {
            ++s.counters.send_dropped;
            ++done;
        } else {
            ++(errno == ENOBUFS || errno == ENOMEM ? s.counters.send_no_buffers : s.counters.send_blocked);
            break;
        }
    }
    return done;
}

int UdpSocket::fd() const {
    return impl_->fd.get();
}
const Address& UdpSocket::local() const {
    return impl_->local;
}
const UdpCounters& UdpSocket::counters() const {
    return impl_->counters;
}

}  // namespace lanyard::runtime
