#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "coap/peer.hpp"
#include "lanyard/internal/v1/downlink.pb.h"
#include "lanyard/internal/v1/registration.pb.h"

namespace lanyard::coap_ingress {

// What a ShardCore needs from the world. All calls come on the shard's thread and must not block.

// Takes CoAP messages for devices.
class Transmitter {
  public:
    virtual ~Transmitter() = default;
    // `message` is valid during the call only.
    virtual void transmit(const coap::PeerId& peer, ByteView message) = 0;
};

struct UplinkMessage {
    std::string_view key;  // "{tenant}/{endpoint}"
    ByteView value;        // events::v1::UplinkRecord
    UnixMillis received_ms = 0;
    std::uint64_t opaque = 0;  // given back with the delivery report
};

// Takes records for Kafka and copies them.
class UplinkSink {
  public:
    virtual ~UplinkSink() = default;
    // False when it takes no more now. When true, ShardCore::on_delivery follows exactly once.
    [[nodiscard]] virtual bool produce(const UplinkMessage& message) = 0;
};

// Takes commands for the registry.
class RegistryPort {
  public:
    virtual ~RegistryPort() = default;
    // False when there is no connection or too much waits. Otherwise ShardCore::on_registry_result follows, or
    // nothing: the core keeps a deadline of its own. It leaves with the next flush().
    [[nodiscard]] virtual bool send(internal::v1::RegistrationCommand&& command) = 0;
    // At the end of a turn of the shard, so that its commands travel together.
    virtual void flush() = 0;
    // Incarnation number of this process; 0 before the registry has given one.
    [[nodiscard]] virtual std::uint32_t node() const = 0;
};

// Where the result of one downlink request goes. Called once, on the shard's thread.
class DownlinkReply {
  public:
    virtual ~DownlinkReply() = default;
    virtual void deliver(internal::v1::DownlinkResult&& result) = 0;
};

struct DownlinkCall {
    internal::v1::DownlinkRequest request;
    std::shared_ptr<DownlinkReply> reply;
    SteadyTime received;
};

}  // namespace lanyard::coap_ingress
