#pragma once

#include <cstddef>
#include <cstdint>

namespace lanyard::coap {

// All bounds of this library. Constants bound single messages; EndpointLimits bounds one Endpoint (one shard) and
// may be configured.

// Options in a received message; more is malformed. A CoAP message for LwM2M has below 20.
inline constexpr std::size_t kMaxOptionsIn = 128;
// Options in a message that we make, and the bytes of their values.
inline constexpr std::size_t kMaxOptionsOut = 64;
inline constexpr std::size_t kMaxOptionBytesOut = 1024;
// The greatest datagram that an endpoint sends: one block of 1024 bytes, every option, and their headers.
inline constexpr std::size_t kMaxDatagramOut = 2560;
// NUM of a block has 20 bits, RFC 7959 section 2.2.
inline constexpr std::uint32_t kMaxBlockNum = 0xfffff;
// ETag: RFC 7252 table 4.
inline constexpr std::size_t kMaxEtagSize = 8;

struct EndpointLimits {
    // Messages remembered for deduplication, about 56 bytes each; when full, the oldest is forgotten (counted)
    // before its EXCHANGE_LIFETIME is over. The table starts small and doubles up to this. A power of two.
    std::size_t dedup_entries = std::size_t{1} << 20;
    // Bytes of answers kept to be replayed; answers without options and payload (2.04 to an update) need none of
    // it. When full, the oldest answers are forgotten: their duplicates are then swallowed. A power of two.
    std::size_t replay_bytes = std::size_t{16} << 20;
    // Requests handed to the application that it has not answered yet; further ones get 5.03.
    std::size_t pending_requests = 65536;
    // Messages that we have sent or queued and that await an acknowledgement or a response.
    std::size_t exchanges = 262144;
    // Of these, queued or outstanding for one peer (RFC 7252 section 4.7: NSTART is 1).
    std::size_t exchanges_per_peer = 32;
    // Peers with an outgoing message within the last EXCHANGE_LIFETIME; holds their message id counters.
    std::size_t peers = 1U << 20;
    // Request bodies being received by Block1: of all peers, of one, bytes of one, bytes of all.
    std::size_t block1_transfers = 4096;
    std::size_t block1_transfers_per_peer = 2;
    std::size_t block1_body_bytes = 65536;
    std::size_t block1_total_bytes = std::size_t{32} << 20;
    // Bytes of one response body being received by Block2, and of all of them.
    std::size_t block2_body_bytes = std::size_t{1} << 20;
    std::size_t block2_total_bytes = std::size_t{64} << 20;
    // Bodies being sent by Block2 that are kept until they are fetched: their number, and bytes of all.
    std::size_t block2_cached_bodies = 4096;
    std::size_t block2_cached_bytes = std::size_t{32} << 20;
    // A request body that send_request() takes.
    std::size_t request_body_bytes = std::size_t{1} << 20;
    // A response body that respond() takes.
    std::size_t response_body_bytes = std::size_t{1} << 20;
};

}  // namespace lanyard::coap
