#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "coap/stats.hpp"
#include "telemetry/metrics.hpp"

namespace lanyard::coap_ingress {

enum class DropReason : std::uint8_t { malformed, truncated, session, send_queue_full };
enum class NotifyResult : std::uint8_t {
    delivered,      // stored, acknowledged
    failed,         // Kafka did not take it: not acknowledged
    unknown_token,  // reset
    deferred,       // the registry could not tell whose it is: not acknowledged
    incomplete,     // the rest of its body could not be fetched
};
enum class RegistryResult : std::uint8_t { ok, refused, unavailable };
inline constexpr std::size_t kDropReasons = 4;
inline constexpr std::size_t kNotifyResults = 5;
inline constexpr std::size_t kBlockResults = 4;  // completed, incomplete (4.08), too_large (4.13), abandoned
// One for each value of internal.v1.DownlinkResult.Outcome.
inline constexpr std::size_t kOutcomes = 12;

// What one shard counts: written by its thread, read by scrapes. Plain adds, no locked instructions.
struct ShardMetrics {
    using Counter = telemetry::ShardCounter;

    // [in, out][CON, NON, ACK, RST][code class 0 empty, 1 request, 2, 4, 5, 6 other]
    std::array<std::array<std::array<Counter, 6>, 4>, 2> messages;
    std::array<Counter, kDropReasons> dropped;
    std::array<Counter, kNotifyResults> notifications;
    std::array<Counter, 2> sends;      // delivered, failed
    std::array<Counter, 256> refused;  // by CoAP code
    std::array<Counter, kOutcomes> downlinks;
    Counter registers_admitted;
    Counter registers_deferred;
    Counter updates_from_memory;
    Counter updates_to_registry;
    Counter rebinds;
    Counter adoptions;
    Counter fenced;
    Counter expired;
    // Copied from the endpoint once a second.
    Counter deduplicated;
    Counter retransmissions;
    Counter transmit_timeouts;
    Counter dedup_evicted;
    Counter replays_lost;
    Counter bad_options;
    Counter peers_refused;
    std::array<Counter, kBlockResults> block_transfers;
    std::atomic<std::uint64_t> registrations{0};
    std::atomic<std::uint64_t> uplink_pending{0};
    std::atomic<std::uint64_t> register_window{0};
    std::atomic<std::uint64_t> registers_pending{0};
    // Shared by the shards; null until exposed.
    telemetry::Histogram* ingest_latency = nullptr;
    telemetry::Histogram* register_duration = nullptr;
    std::array<telemetry::Histogram*, 8> exchange_duration{};  // by code of the method; some have none

    // Counts one CoAP message by its first two bytes.
    void count_message(bool out, ByteView message) {
        if (message.size() < 4) return;
        static constexpr std::array<std::uint8_t, 8> kClass{0, 5, 2, 5, 3, 4, 5, 5};
        const std::uint8_t code = message[1];
        const std::size_t index = code != 0 && code < 0x20 ? 1 : kClass[code >> 5];
        messages[out ? 1 : 0][(message[0] >> 4) & 3][index].add();
    }
    void count_drop(DropReason reason) { dropped[static_cast<std::size_t>(reason)].add(); }
    void count_notification(NotifyResult result) { notifications[static_cast<std::size_t>(result)].add(); }
    // A device answered a request of this method.
    void count_exchange(std::uint32_t method, Duration took) {
        telemetry::Histogram* histogram = method < exchange_duration.size() ? exchange_duration[method] : nullptr;
        if (histogram != nullptr) histogram->observe(std::chrono::duration<double>(took).count());
    }
    // Takes over what the endpoint counted since `last`, and makes `last` that.
    void copy_endpoint(const coap::Stats& now, coap::Stats& last);
};

// Shows a shard's numbers on /metrics until the result is destroyed. `metrics` must live as long.
[[nodiscard]] std::vector<telemetry::MetricRegistry::Callback> expose(telemetry::MetricRegistry& registry,
                                                                      ShardMetrics& metrics);

}  // namespace lanyard::coap_ingress
