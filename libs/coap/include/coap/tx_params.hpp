#pragma once

#include <chrono>
#include <string>

#include "base/error.hpp"
#include "base/time.hpp"

namespace lanyard::coap {

// Transmission parameters, RFC 7252 section 4.8, with its defaults, and the times derived from them.
struct TxParams {
    Duration ack_timeout = std::chrono::seconds(2);
    double ack_random_factor = 1.5;
    unsigned max_retransmit = 4;
    // One-way time of a datagram, section 4.8.2.
    Duration max_latency = std::chrono::seconds(100);
    // Turn-around of a CON into its ACK, section 4.8.2. Also when an unanswered request gets an empty ACK is derived
    // from it: three quarters, so that the ACK arrives before a peer with these parameters retransmits.
    Duration processing_delay = std::chrono::seconds(2);

    // From the first transmission of a CON to its last retransmission: 45 s.
    [[nodiscard]] Duration max_transmit_span() const;
    // From the first transmission to giving up waiting for an ACK: 93 s.
    [[nodiscard]] Duration max_transmit_wait() const;
    // 202 s.
    [[nodiscard]] Duration max_rtt() const;
    // From the first transmission of a CON until its message id may be used again: 247 s.
    [[nodiscard]] Duration exchange_lifetime() const;
    // The same for a NON: 145 s.
    [[nodiscard]] Duration non_lifetime() const;
    // 1.5 s.
    [[nodiscard]] Duration separate_ack_delay() const { return processing_delay * 3 / 4; }
    // The first timeout for `random` in [0, 2^32): ack_timeout * [1, ack_random_factor].
    [[nodiscard]] Duration initial_timeout(std::uint32_t random) const;
};

// invalid_argument with "ack_timeout: must be 10ms..3600s" and alike.
[[nodiscard]] Result<TxParams> validated(const TxParams& params);

}  // namespace lanyard::coap
