#pragma once

#include <array>
#include <cstdint>

#include "coap/message.hpp"

namespace lanyard::coap {

// What an endpoint has counted since it was made. Plain numbers, written by its thread only.
struct Stats {
    std::uint64_t datagrams_received = 0;
    std::uint64_t datagrams_sent = 0;
    std::array<std::uint64_t, kDecodeErrorCount> malformed{};  // by DecodeError
    std::uint64_t bad_options = 0;         // requests with an option that must be understood and is not
    std::uint64_t rejected_responses = 0;  // responses with such an option
    std::uint64_t requests_received = 0;   // handed to the application
    std::uint64_t responses_sent = 0;
    std::uint64_t separate_acks_sent = 0;  // empty ACKs because the application took its time
    std::uint64_t requests_sent = 0;       // first transmissions, blocks included
    std::uint64_t responses_received = 0;
    std::uint64_t requests_failed = 0;
    std::uint64_t notifications_received = 0;
    std::uint64_t notifications_accepted = 0;
    std::uint64_t notifications_rejected = 0;
    std::uint64_t notifications_sent = 0;
    std::uint64_t duplicates = 0;       // messages seen before, whatever was done with them
    std::uint64_t replays = 0;          // of these, answered again from memory
    std::uint64_t replays_lost = 0;     // of these, not answered: the answer is no longer kept
    std::uint64_t dedup_evicted = 0;    // messages forgotten before their time because the table was full
    std::uint64_t pending_evicted = 0;  // of these, requests and notifications that were still unanswered
    std::uint64_t retransmissions = 0;
    std::uint64_t transmit_timeouts = 0;  // CONs never acknowledged
    std::uint64_t resets_received = 0;
    std::uint64_t resets_sent = 0;
    std::uint64_t pings_received = 0;
    std::uint64_t unmatched = 0;         // ACKs and Resets that belong to nothing
    std::uint64_t overload_refused = 0;  // requests answered 5.03 because a table was full
    std::uint64_t queue_full = 0;        // send_request() refused
    std::uint64_t block1_completed = 0;
    std::uint64_t block1_gaps = 0;       // 4.08
    std::uint64_t block1_too_large = 0;  // 4.13
    std::uint64_t block1_expired = 0;    // abandoned by the peer, or pushed out
    std::uint64_t block2_served = 0;     // blocks sent from the cache, without asking the application
    std::uint64_t block2_restarts = 0;   // bodies that changed while they were fetched
    std::uint64_t peers_refused = 0;     // no room for another peer
};

}  // namespace lanyard::coap
