#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

#include "block1_sender.hpp"
#include "block2_receiver.hpp"
#include "coap/views.hpp"

namespace lanyard::coap {

// A block-wise transfer of an exchange; made only when there is one.
struct Transfer {
    Bytes request;  // the whole message, with all of the payload
    Block1Sender up;
    Block2Receiver down;
    bool downloading = false;
    std::size_t counted_bytes = 0;  // of `down`, in the endpoint's total
    std::optional<std::uint32_t> observe;
};

// One message of ours that awaits something: a request, a separate response, a confirmable notification.
struct Exchange {
    enum class Kind : std::uint8_t { request, response, notification };
    enum class Phase : std::uint8_t { unused, queued, unacknowledged, unanswered };

    std::uint64_t cookie = 0;
    SteadyTime deadline;
    SteadyTime retransmit_at;
    Duration timeout{};  // until the next retransmission
    Token token;         // of the message on the wire
    Token first_token;   // of the request as sent first
    std::uint32_t peer = 0;
    std::uint32_t previous = 0;
    std::uint32_t next = 0;
    std::uint16_t mid = 0;
    std::uint8_t retransmissions = 0;
    Kind kind = Kind::request;
    Phase phase = Phase::unused;
    bool confirmable = true;
    Bytes wire;  // the datagram, but for its message id before the first transmission
    std::unique_ptr<Transfer> transfer;
};

// Exchanges in chunks of memory that never move; used ones keep their buffers. Not thread-safe.
class ExchangePool {
  public:
    using Index = std::uint32_t;
    static constexpr Index kNone = 0xffffffff;

    explicit ExchangePool(std::size_t limit) : limit_(limit) {}

    [[nodiscard]] Exchange& operator[](Index at) { return slots_[at]; }
    [[nodiscard]] std::size_t used() const { return used_; }
    // kNone when the limit is reached.
    Index allocate();
    void release(Index at);

  private:
    std::size_t limit_;
    std::size_t used_ = 0;
    Index free_ = kNone;
    std::deque<Exchange> slots_;
};

}  // namespace lanyard::coap
