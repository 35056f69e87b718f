#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "coap/limits.hpp"
#include "coap/peer.hpp"
#include "lru_pool.hpp"

namespace lanyard::coap {

// Response bodies that are longer than one block, kept while the peer fetches the rest (RFC 7959 section 2.4). What
// is not found any more is asked of the application again; its ETag then tells the peer whether it is the same.
//
// Bounded in number and bytes; the body that has been idle longest goes first. Not thread-safe.
class Block2Cache {
  public:
    struct Body {
        Bytes head;  // the response as a message without token, payload and block options
        Bytes payload;
    };

    Block2Cache(const EndpointLimits& limits, Duration idle, std::uint64_t seed)
        : limits_(limits), idle_(idle), hash_{seed} {}

    // Replaces what was kept for this request key. Bodies beyond the bound of all are not kept.
    void put(const PeerId& peer, std::uint64_t key, ByteView head, ByteView payload, SteadyTime now);
    // Null if not kept. Valid until the next put().
    [[nodiscard]] const Body* find(const PeerId& peer, std::uint64_t key, SteadyTime now);

    void expire(SteadyTime now);
    [[nodiscard]] std::optional<SteadyTime> next_timeout() const;
    [[nodiscard]] std::size_t bodies() const { return bodies_.size(); }
    [[nodiscard]] std::size_t bytes() const { return total_bytes_; }

  private:
    using Pool = LruPool<std::uint64_t, Body, FlatHash>;
    void drop(Pool::Index at);

    const EndpointLimits& limits_;
    Duration idle_;
    PeerHash hash_;
    Pool bodies_;
    std::size_t total_bytes_ = 0;
};

}  // namespace lanyard::coap
