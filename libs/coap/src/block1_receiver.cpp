#include "block1_receiver.hpp"

namespace lanyard::coap {

Block1Receiver::Block1Receiver(const EndpointLimits& limits, Duration idle, std::uint64_t seed, Stats& stats)
    : limits_(limits), idle_(idle), hash_{seed}, stats_(stats), per_peer_(PeerHash{seed}) {}

Block1Receiver::Outcome Block1Receiver::on_block(const PeerId& peer, std::uint64_t key, const Block& block,
                                                 SteadyTime now) {
    expire(now);
    if (block.option.more ? block.payload.size() != block.option.size() : block.payload.size() > block.option.size()) {
        return Outcome::malformed;
    }
    const std::uint64_t id = mix64(hash_(peer) ^ key);
    const Pool::Index at = transfers_.find(id);
    if (block.option.num == 0) {
        if (at != Pool::kNone) drop(at);  // the peer starts anew
        return start(peer, id, block, now);
    }
    if (at == Pool::kNone) {
        ++stats_.block1_gaps;
        return Outcome::gap;
    }
    return append(at, block, now);
}

Block1Receiver::Outcome Block1Receiver::start(const PeerId& peer, std::uint64_t id, const Block& block,
                                              SteadyTime now) {
    if (block.size1.value_or(0) > limits_.block1_body_bytes || block.payload.size() > limits_.block1_body_bytes) {
        ++stats_.block1_too_large;
        return Outcome::too_large;
    }
    if (!block.option.more) {
        body_.assign(block.payload.begin(), block.payload.end());
        ++stats_.block1_completed;
        return Outcome::complete;
    }
    make_room(peer);
    const Pool::Index at = transfers_.insert(id, now);
    transfers_[at].peer = peer;
    transfers_[at].body.assign(block.payload.begin(), block.payload.end());
    total_bytes_ += block.payload.size();
    ++per_peer_[peer];
    return Outcome::more;
}

Block1Receiver::Outcome Block1Receiver::append(Pool::Index at, const Block& block, SteadyTime now) {
    Bytes& body = transfers_[at].body;
    const std::size_t offset = block.option.offset();
    if (block.option.more && offset + block.payload.size() <= body.size()) {
        transfers_.touch(at, now);  // a block again, with a new message id
        return Outcome::more;
    }
    if (offset != body.size()) {
        drop(at);
        ++stats_.block1_gaps;
        return Outcome::gap;
    }
    if (body.size() + block.payload.size() > limits_.block1_body_bytes) {
        drop(at);
        ++stats_.block1_too_large;
        return Outcome::too_large;
    }
    transfers_.touch(at, now);
    body.insert(body.end(), block.payload.begin(), block.payload.end());
    total_bytes_ += block.payload.size();
    if (block.option.more) {
        while (total_bytes_ > limits_.block1_total_bytes && transfers_.oldest() != at) give_up(transfers_.oldest());
        return Outcome::more;
    }
    total_bytes_ -= body.size();
    body_ = std::move(body);
    body.clear();
    drop(at);
    ++stats_.block1_completed;
    return Outcome::complete;
}

void Block1Receiver::make_room(const PeerId& peer) {
    if (const std::uint32_t* count = per_peer_.find(peer);
        count != nullptr && *count >= limits_.block1_transfers_per_peer) {
        Pool::Index at = transfers_.oldest();
        while (at != Pool::kNone && transfers_[at].peer != peer) at = transfers_.newer(at);
        if (at != Pool::kNone) give_up(at);
    }
    while (transfers_.size() >= limits_.block1_transfers && transfers_.oldest() != Pool::kNone) {
        give_up(transfers_.oldest());
    }
}

void Block1Receiver::drop(Pool::Index at) {
    total_bytes_ -= transfers_[at].body.size();
    const PeerId peer = transfers_[at].peer;
    if (std::uint32_t* count = per_peer_.find(peer); count != nullptr && --*count == 0) per_peer_.erase(peer);
    transfers_.erase(at);
}

void Block1Receiver::give_up(Pool::Index at) {
    ++stats_.block1_expired;
    drop(at);
}

void Block1Receiver::expire(SteadyTime now) {
    while (transfers_.oldest() != Pool::kNone && transfers_.used(transfers_.oldest()) + idle_ <= now) {
        give_up(transfers_.oldest());
    }
}

std::optional<SteadyTime> Block1Receiver::next_timeout() const {
    if (transfers_.oldest() == Pool::kNone) return std::nullopt;
    return transfers_.used(transfers_.oldest()) + idle_;
}

}  // namespace lanyard::coap
