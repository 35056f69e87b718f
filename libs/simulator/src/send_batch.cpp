#include "send_batch.hpp"

#include <cstring>
#include <span>

#include <poll.h>

#include "base/assert.hpp"

namespace lanyard::simulator {
namespace {

constexpr int kTries = 5;
constexpr int kWaitMs = 2;

}  // namespace

void SendBatch::add(const Address& peer, const Address& source, ByteView datagram) {
    LANYARD_ASSERT(!full() && datagram.size() <= kMaxDatagram);
    std::memcpy(bytes_[count_].data(), datagram.data(), datagram.size());
    entries_[count_] = {peer, source, ByteView(bytes_[count_].data(), datagram.size())};
    ++count_;
}

void SendBatch::send(runtime::UdpSocket& socket) {
    std::span<const runtime::Outgoing> rest(entries_.data(), count_);
    count_ = 0;
    for (int tries = 0; tries < kTries && !rest.empty(); ++tries) {
        rest = rest.subspan(socket.send_batch(rest));
        if (rest.empty()) return;
        pollfd writable{socket.fd(), POLLOUT, 0};
        static_cast<void>(poll(&writable, 1, kWaitMs));
    }
    dropped_ += rest.size();
}

}  // namespace lanyard::simulator
