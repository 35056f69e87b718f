#pragma once

#include <array>
#include <cstdint>
#include <cstring>

#include "base/hash.hpp"
#include "coap/endpoint.hpp"
#include "dedup_table.hpp"

namespace lanyard::coap {

// Numbers that a peer cannot foretell from those it has seen: SipHash of a counter under a secret key.
class Random {
  public:
    explicit Random(std::uint64_t seed) {
        const std::uint64_t second = mix64(seed ^ 0x636f61702d726e64ULL);
        std::memcpy(key_.data(), &seed, 8);
        std::memcpy(key_.data() + 8, &second, 8);
    }
    std::uint64_t next() {
        std::array<std::uint8_t, 8> input{};
        std::memcpy(input.data(), &counter_, sizeof counter_);
        ++counter_;
        return siphash24(key_, input);
    }

  private:
    SipKey key_{};
    std::uint64_t counter_ = 0;
};

// What the parts of one endpoint share.
struct Context {
    Context(const EndpointConfig& endpoint_config, EndpointVisitor& endpoint_visitor, SteadyTime now)
        : config(endpoint_config),
          visitor(endpoint_visitor),
          origin(now),
          last_now(now),
          random(endpoint_config.seed),
          dedup(endpoint_config.limits.dedup_entries, mix64(endpoint_config.seed + 1)) {}

    void transmit(const PeerId& peer, ByteView datagram) {
        ++stats.datagrams_sent;
        visitor.transmit(peer, datagram);
    }
    void send_empty(const PeerId& peer, Type type, std::uint16_t mid) {
        if (type == Type::reset) ++stats.resets_sent;
        transmit(peer, encode_empty(type, mid));
    }
    // Milliseconds since the endpoint was made, low bits: good for differences up to 49 days.
    [[nodiscard]] std::uint32_t millis(SteadyTime time) const {
        return static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::milliseconds>(time - origin).count());
    }
    // The time of which `arrived_ms` are the low bits.
    [[nodiscard]] SteadyTime time_of(std::uint32_t arrived_ms) const {
        return last_now - std::chrono::milliseconds(millis(last_now) - arrived_ms);
    }
    [[nodiscard]] std::size_t block_size() const { return std::size_t{1} << (config.szx + 4); }

    EndpointConfig config;
    EndpointVisitor& visitor;
    SteadyTime origin;
    SteadyTime last_now;
    Random random;
    Stats stats;
    DedupTable dedup;
};

}  // namespace lanyard::coap
