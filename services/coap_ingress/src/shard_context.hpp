#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.hpp"
#include "base/time.hpp"
#include "coap/endpoint.hpp"
#include "coap_ingress/config.hpp"
#include "metrics.hpp"
#include "ports.hpp"
#include "registration_table.hpp"
#include "session_stage.hpp"
#include "telemetry/log.hpp"
#include "telemetry/rate_limit.hpp"

namespace lanyard::coap_ingress {

// What one shard is made with. References outlive the shard.
struct ShardSetup {
    const Config& config;
    SipKey key{};
    std::uint32_t shard = 0;
    std::uint64_t seed = 0;  // secret and different for each shard and process
    const telemetry::Logger& log;
    ShardMetrics& metrics;
    Transmitter& transmitter;
    UplinkSink& uplink;
    RegistryPort& registry;
};

// The state that the parts of a shard share: one registration table, one clock reading, one way to answer. Used on
// the shard's thread only.
struct ShardContext {
    ShardContext(const ShardSetup& with, Now start);

    // Answers with an error: counts it, logs it (rate-limited) and sends `message` as diagnostic payload. `who`
    // is the endpoint that the log names; empty: the one that is registered from the address.
    void refuse(coap::RequestHandle handle, coap::Code code, std::string_view message, std::string_view who = {});
    // 5.03 with this Max-Age.
    void refuse_until(coap::RequestHandle handle, std::uint32_t max_age_s, std::string_view message,
                      std::string_view who = {});
    // 4.13 with Size1, the bytes that are taken; 0: what the listeners take.
    void refuse_too_large(coap::RequestHandle handle, std::string_view message, std::uint32_t size_max = 0,
                          std::string_view who = {});
    // 5.03 with a Max-Age that spreads the retries of a fleet over half a minute.
    void refuse_unavailable(coap::RequestHandle handle, std::string_view message, std::string_view who = {});
    void respond(coap::RequestHandle handle, coap::Code code);
    void respond(coap::RequestHandle handle, const coap::Response& response);
    // Counts and logs (rate-limited, by code) an error answer.
    void count_refused(const std::optional<coap::PeerId>& peer, coap::Code code, std::string_view message,
                       std::string_view who = {});
    // Lines that a device can trigger, rate-limited by `key`, which is a literal.
    void warn(std::string_view key, std::string_view message, std::string_view detail);
    void warn(std::string_view key, std::string_view message, const coap::PeerId& peer);
    void warn_malformed(const coap::PeerId& peer, coap::DecodeError error);

    [[nodiscard]] ShardSeconds seconds() const {
        return static_cast<ShardSeconds>(std::chrono::duration_cast<std::chrono::seconds>(now.steady - origin).count());
    }
    [[nodiscard]] std::uint32_t wall_seconds() const { return static_cast<std::uint32_t>(now.wall_ms / 1000); }
    [[nodiscard]] std::uint64_t random();
    // The tenant of the listener that a peer uses.
    [[nodiscard]] std::string_view tenant_of(const coap::PeerId& peer) const {
        return setup.config.listeners[peer.listener & 0xff].tenant;
    }

    const ShardSetup setup;
    const Config& config;
    ShardMetrics& metrics;
    SteadyTime origin;
    Now now;
    RegistrationTable table;
    coap::Endpoint* endpoint = nullptr;
    Identity identity;  // of the message that is handled right now
    telemetry::RateLimit limit;
    std::uint64_t random_state;
    bool draining = false;
};

// "192.0.2.1:5683", for records.
std::string peer_text(const coap::PeerId& peer);

}  // namespace lanyard::coap_ingress
