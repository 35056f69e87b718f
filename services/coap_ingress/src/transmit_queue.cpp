#include "transmit_queue.hpp"

#include <algorithm>
#include <cstring>

namespace lanyard::coap_ingress {

bool TransmitQueue::push(const Address& to, ByteView datagram) {
    if (full() || datagram.size() > coap::kMaxDatagramOut) return false;
    Buffer& buffer = buffers_[(first_ + count_) % kCapacity];
    std::memcpy(buffer.bytes.data(), datagram.data(), datagram.size());
    buffer.size = datagram.size();
    buffer.to = to;
    ++count_;
    return true;
}

void TransmitQueue::flush(runtime::UdpSocket& socket) {
    std::array<runtime::Outgoing, runtime::kUdpBatch> batch;
    while (count_ != 0) {
        const std::size_t size = std::min(count_, batch.size());
        for (std::size_t i = 0; i < size; ++i) {
            const Buffer& buffer = buffers_[(first_ + i) % kCapacity];
            batch[i] = {buffer.to, Address{}, ByteView(buffer.bytes.data(), buffer.size)};
        }
        const std::size_t done = socket.send_batch({batch.data(), size});
        first_ = (first_ + done) % kCapacity;
        count_ -= done;
        if (done < size) return;
    }
}

}  // namespace lanyard::coap_ingress
