#pragma once

#include <cstdint>
#include <optional>

#include "coap/limits.hpp"
#include "coap/option.hpp"
#include "coap/peer.hpp"
#include "coap/stats.hpp"
#include "lru_pool.hpp"

namespace lanyard::coap {

// Puts request bodies together that arrive by Block1 (RFC 7959 section 2.5), atomically: nobody sees half a body.
//
// A transfer is keyed by the peer and everything that RFC 9175 section 3.3 calls the request key: method, options
// but for the block-wise ones, Request-Tag. Bounded in number and bytes, for each peer and in all; when a bound is
// reached the transfer that has been idle longest is given up. Not thread-safe.
class Block1Receiver {
  public:
    // `idle` is how long a transfer may wait for its next block.
    Block1Receiver(const EndpointLimits& limits, Duration idle, std::uint64_t seed, Stats& stats);

    enum class Outcome : std::uint8_t {
        more,       // 2.31
        complete,   // body() is whole
        gap,        // 4.08: a block is missing, or there is no such transfer
        too_large,  // 4.13
        malformed,  // 4.00: a block shorter than its size with more to come
    };
    struct Block {
        BlockOption option;
        std::optional<std::uint64_t> size1;  // the total that the peer announces
        ByteView payload;
    };
    // `key` covers the request key without the peer.
    Outcome on_block(const PeerId& peer, std::uint64_t key, const Block& block, SteadyTime now);
    // The body after `complete`, until the next on_block().
    [[nodiscard]] ByteView body() const { return body_; }

    // Gives up transfers that have been idle too long.
    void expire(SteadyTime now);
    [[nodiscard]] std::optional<SteadyTime> next_timeout() const;
    [[nodiscard]] std::size_t transfers() const { return transfers_.size(); }
    [[nodiscard]] std::size_t bytes() const { return total_bytes_; }

  private:
    struct Transfer {
        PeerId peer;
        Bytes body;
    };
    using Pool = LruPool<std::uint64_t, Transfer, FlatHash>;

    Outcome start(const PeerId& peer, std::uint64_t id, const Block& block, SteadyTime now);
    Outcome append(Pool::Index at, const Block& block, SteadyTime now);
    void make_room(const PeerId& peer);
    void drop(Pool::Index at);
    void give_up(Pool::Index at);

    const EndpointLimits& limits_;
    Duration idle_;
    PeerHash hash_;
    Stats& stats_;
    Pool transfers_;
    FlatMap<PeerId, std::uint32_t, PeerHash> per_peer_;
    std::size_t total_bytes_ = 0;
    Bytes body_;
};

}  // namespace lanyard::coap
