#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "coap/peer.hpp"

namespace lanyard::coap_ingress {

// Who sent a message, as far as the session proves it.
struct Identity {
    // Endpoint name that the credentials stand for; empty without security.
    std::string_view name;
    // PSK, RPK, X509 or NONE.
    std::string_view security_mode = "NONE";
};

// One CoAP message out of the session layer. Views live until the next call of the stage.
struct Inbound {
    // Stable for as long as the session lives; equals the address on plain UDP.
    coap::PeerId peer;
    Identity identity;
    ByteView message;
};

// Takes datagrams for a socket; `to.listener` names the socket.
class DatagramSink {
  public:
    virtual ~DatagramSink() = default;
    virtual void send(const coap::PeerId& to, ByteView datagram) = 0;
};

// What stands between a shard's sockets and CoAP: nothing (PlainStage), or a security layer. One per shard, called
// on its thread only.
class SessionStage {
  public:
    virtual ~SessionStage() = default;
    // A datagram came from `from`. Nothing when it carries no CoAP message (handshake records, forged ones); answers
    // of the session layer itself go to `out`. `datagram` may be decrypted in place.
    virtual std::optional<Inbound> open(const coap::PeerId& from, std::span<std::uint8_t> datagram, Now now,
                                        DatagramSink& out) = 0;
    // Sends a CoAP message to a peer.
    virtual void seal(const coap::PeerId& peer, ByteView message, DatagramSink& out) = 0;
    // Timers of the session layer.
    [[nodiscard]] virtual std::optional<SteadyTime> next_timeout() const { return std::nullopt; }
    virtual void on_timer(Now now, DatagramSink& out) { static_cast<void>(now), static_cast<void>(out); }
};

// CoAP over plain UDP: a datagram is a message, the address is the peer.
class PlainStage final : public SessionStage {
  public:
    std::optional<Inbound> open(const coap::PeerId& from, std::span<std::uint8_t> datagram, Now now,
                                DatagramSink& out) override {
        static_cast<void>(now), static_cast<void>(out);
        return Inbound{from, Identity{}, datagram};
    }
    void seal(const coap::PeerId& peer, ByteView message, DatagramSink& out) override { out.send(peer, message); }
};

}  // namespace lanyard::coap_ingress
