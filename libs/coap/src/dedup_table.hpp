#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "coap/peer.hpp"
#include "coap/token.hpp"

namespace lanyard::coap {

// What has become of a received confirmable or non-confirmable message.
enum class DedupState : std::uint8_t {
    ignored,               // settled without any answer
    pending_request,       // the application works on it
    acknowledged_request,  // so does it, and an empty ACK has gone out
    pending_notification,  // awaits ack() or reset()
    answered,              // piggybacked answer without options and payload: rebuilt from the entry
    answered_cached,       // piggybacked answer in the replay cache
    acknowledged,          // empty ACK
    rejected,              // Reset
    forgotten,             // a notification to be handed over again when it is repeated
};

// One remembered message, 40 bytes. `data` holds, by state: the pending slot (both request states), the token of the
// answer (answered), or its place in the replay cache (answered_cached).
struct DedupEntry {
    Address address;
    std::uint16_t mid = 0;
    std::uint32_t listener = 0;
    DedupState state = DedupState::ignored;
    bool confirmable = false;
    std::uint8_t code = 0;
    std::uint8_t token_size = 0;
    std::uint32_t arrived_ms = 0;  // low bits of the endpoint's milliseconds
    std::array<std::uint8_t, 8> data{};

    [[nodiscard]] PeerId peer() const { return {address, listener}; }
    [[nodiscard]] std::uint64_t number() const {
        std::uint64_t value = 0;
        std::memcpy(&value, data.data(), sizeof value);
        return value;
    }
    void set_number(std::uint64_t value) { std::memcpy(data.data(), &value, sizeof value); }
};
static_assert(sizeof(DedupEntry) == 40);

// Received messages by (peer, message id), in the order of arrival, which is the order in which they expire: a ring
// of entries and an open-addressing index into it (16 bytes an entry). Doubles up to its capacity.
//
// Entries are named by sequence numbers that never repeat, so a stale name is recognised. Not thread-safe.
class DedupTable {
  public:
    // `capacity` is rounded up to a power of two. `seed` keys the hash.
    DedupTable(std::size_t capacity, std::uint64_t seed);

    // Peer and message id, hashed once for find() and insert().
    struct Key {
        const PeerId& peer;
        std::uint16_t mid;
        std::uint32_t hash;
    };
    [[nodiscard]] Key key(const PeerId& peer, std::uint16_t mid) const { return {peer, mid, hash(peer, mid)}; }

    // Null if not remembered.
    [[nodiscard]] DedupEntry* find(const Key& key);
    // There must be no such entry, and not full(). Returns the sequence number, never 0.
    std::uint64_t insert(const Key& key, std::uint32_t arrived_ms);
    // The entry of a sequence number; null if it is no longer there.
    [[nodiscard]] DedupEntry* at(std::uint64_t sequence) {
        return sequence >= oldest_ && sequence < next_ ? &ring_[sequence & mask_] : nullptr;
    }

    // The sequence number of an entry that find() gave.
    [[nodiscard]] std::uint64_t sequence_of(const DedupEntry& entry) const {
        return oldest_ + ((static_cast<std::uint64_t>(&entry - ring_.data()) - oldest_) & mask_);
    }

    [[nodiscard]] std::uint64_t oldest() const { return oldest_; }
    [[nodiscard]] std::uint64_t next() const { return next_; }
    [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(next_ - oldest_); }
    [[nodiscard]] bool empty() const { return next_ == oldest_; }
    [[nodiscard]] bool full() const { return size() == capacity_; }
    void pop_oldest();

  private:
    // `slot` is the low part of the sequence number plus one; 0 marks a free cell.
    struct Cell {
        std::uint32_t hash = 0;
        std::uint32_t slot = 0;
    };

    [[nodiscard]] std::uint32_t hash(const PeerId& peer, std::uint16_t mid) const {
        return static_cast<std::uint32_t>(mix64(peer_hash_(peer) + mid) >> 16);
    }
    [[nodiscard]] static std::uint32_t slot_of(std::uint64_t sequence) {
        return static_cast<std::uint32_t>(sequence & 0x7fffffff) + 1;
    }
    void grow();
    void place(Cell cell);

    PeerHash peer_hash_;
    std::size_t capacity_;
    std::uint64_t oldest_ = 1;
    std::uint64_t next_ = 1;
    std::uint64_t mask_;
    std::vector<DedupEntry> ring_;
    std::vector<Cell> cells_;  // twice as many as ring_
};

}  // namespace lanyard::coap
