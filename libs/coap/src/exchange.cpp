#include "exchange.hpp"

namespace lanyard::coap {
namespace {

// Buffers above this size are given back; the usual request needs below 100 bytes.
constexpr std::size_t kKeptBufferBytes = 512;

}  // namespace

ExchangePool::Index ExchangePool::allocate() {
    if (used_ >= limit_) return kNone;
    ++used_;
    if (free_ == kNone) {
        slots_.emplace_back();
        return static_cast<Index>(slots_.size() - 1);
    }
    const Index at = free_;
    free_ = slots_[at].next;
    return at;
}

void ExchangePool::release(Index at) {
    Exchange& exchange = slots_[at];
    Bytes wire = std::move(exchange.wire);
    exchange = Exchange{};
    wire.clear();
    if (wire.capacity() <= kKeptBufferBytes) exchange.wire = std::move(wire);
    exchange.next = free_;
    free_ = at;
    --used_;
}

}  // namespace lanyard::coap
