#include "block2_cache.hpp"

namespace lanyard::coap {

void Block2Cache::put(const PeerId& peer, std::uint64_t key, ByteView head, ByteView payload, SteadyTime now) {
    expire(now);
    const std::uint64_t id = mix64(hash_(peer) ^ key);
    if (const Pool::Index at = bodies_.find(id); at != Pool::kNone) drop(at);
    const std::size_t size = head.size() + payload.size();
    if (size > limits_.block2_cached_bytes || limits_.block2_cached_bodies == 0) return;
    while (bodies_.size() >= limits_.block2_cached_bodies || total_bytes_ + size > limits_.block2_cached_bytes) {
        drop(bodies_.oldest());
    }
    const Pool::Index at = bodies_.insert(id, now);
    bodies_[at].head.assign(head.begin(), head.end());
    bodies_[at].payload.assign(payload.begin(), payload.end());
    total_bytes_ += size;
}

const Block2Cache::Body* Block2Cache::find(const PeerId& peer, std::uint64_t key, SteadyTime now) {
    expire(now);
    const Pool::Index at = bodies_.find(mix64(hash_(peer) ^ key));
    if (at == Pool::kNone) return nullptr;
    bodies_.touch(at, now);
    return &bodies_[at];
}

void Block2Cache::expire(SteadyTime now) {
    while (bodies_.oldest() != Pool::kNone && bodies_.used(bodies_.oldest()) + idle_ <= now) drop(bodies_.oldest());
}

std::optional<SteadyTime> Block2Cache::next_timeout() const {
    if (bodies_.oldest() == Pool::kNone) return std::nullopt;
    return bodies_.used(bodies_.oldest()) + idle_;
}

void Block2Cache::drop(Pool::Index at) {
    total_bytes_ -= bodies_[at].head.size() + bodies_[at].payload.size();
    bodies_.erase(at);
}

}  // namespace lanyard::coap
