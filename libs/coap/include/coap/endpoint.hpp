#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/time.hpp"
#include "coap/limits.hpp"
#include "coap/stats.hpp"
#include "coap/tx_params.hpp"
#include "coap/views.hpp"

namespace lanyard::coap {

// What an endpoint wants from its owner. Called from within the endpoint's functions, on the same thread. A visitor
// may call respond(), send_request(), cancel(), ack() and reset() from within its own functions, except transmit(),
// but not on_datagram() or on_timer(), and must not destroy the endpoint.
class EndpointVisitor {
  public:
    virtual ~EndpointVisitor() = default;

    // To be sent at once or in a batch; `datagram` is valid during the call only.
    virtual void transmit(const PeerId& peer, ByteView datagram) = 0;
    // A request, seen for the first time and complete. To be answered with respond(), now or later.
    virtual void on_request(const PeerId& peer, const RequestView& request, RequestHandle handle) = 0;
    // A datagram that is no message; counted, and reset if the format asks for it.
    virtual void on_malformed(const PeerId& peer, DecodeError error) {
        static_cast<void>(peer), static_cast<void>(error);
    }
    // A request that was answered with an error before it came to on_request(), or because its answer was too long;
    // `reason` went out as diagnostic payload and is valid during the call only.
    virtual void on_refused(const PeerId& peer, Code code, std::string_view reason) {
        static_cast<void>(peer), static_cast<void>(code), static_cast<void>(reason);
    }
    // The answer to send_request(); the exchange is over and the cookie free.
    virtual void on_response(std::uint64_t cookie, const ResponseView& response) = 0;
    // There will be no answer; the exchange is over and the cookie free.
    virtual void on_request_failed(std::uint64_t cookie, FailureReason reason) = 0;
    // A response outside any exchange. To be settled with ack() once what it says is safe, or with reset() if nobody
    // wants it, now or later; a notification left alone is repeated by the peer only if confirmable.
    virtual void on_notification(const PeerId& peer, const NotificationView& notification,
                                 NotificationHandle handle) = 0;
    // A confirmable notification of ours was acknowledged.
    virtual void on_notification_acknowledged(std::uint64_t cookie) { static_cast<void>(cookie); }
    // A confirmable notification of ours was not; the observation ends (RFC 7641 section 4.5).
    virtual void on_notification_failed(std::uint64_t cookie, FailureReason reason) {
        static_cast<void>(cookie), static_cast<void>(reason);
    }
    // A Reset to a message that is not kept: with its mid, a non-confirmable notification of ours.
    virtual void on_reset(const PeerId& peer, std::uint16_t mid) { static_cast<void>(peer), static_cast<void>(mid); }
};

struct EndpointConfig {
    TxParams tx;  // validated
    EndpointLimits limits;
    // Block size that we offer and accept: 2^(szx+4) bytes, szx 0 to 6.
    std::uint8_t szx = 6;
    // Seed of tokens, message ids, jitter and hashes: secret and different for each endpoint.
    std::uint64_t seed = 0;
};

// A notification to be sent by a server (in LwM2M: the device).
struct Notification {
    Token token;
    Code code = Code::content;
    Options options;  // with Observe unless it ends the observation
    ByteView payload;
    bool confirmable = false;
};

// The CoAP message layer, request-response matching, block-wise transfers and duplicate detection of one thread,
// for up to a million peers (RFC 7252, 7641, 7959, parts of 9175).
//
// Does no I/O and reads no clock: datagrams and time go in, datagrams and events come out through the visitor. All
// tables are flat and bounded by EndpointLimits; in the steady state nothing is allocated per message. Nothing that
// a peer sends makes it throw or abort; what is wrong is counted in stats().
//
// Duplicates. A message is remembered for EXCHANGE_LIFETIME. A repeated request is swallowed while the application
// works on the first, and gets the same answer again afterwards; a repeated notification likewise.
// Late answers. A confirmable request that is not answered within separate_ack_delay() gets an empty ACK, its answer
// then goes out as a confirmable message of its own (RFC 7252 section 5.2.2). Notifications never get such an ACK.
// Order. One request at a time is outstanding for each peer (NSTART 1), the others wait in its queue.
// Blocks. Bodies above the block size are cut and put together here, in both directions. The application sees whole
// bodies only.
//
// Not thread-safe.
class Endpoint {
  public:
    Endpoint(const EndpointConfig& config, EndpointVisitor& visitor, Now now);
    ~Endpoint();
    Endpoint(const Endpoint&) = delete;
    Endpoint& operator=(const Endpoint&) = delete;

    void on_datagram(const PeerId& peer, ByteView datagram, Now now);
    // Runs what is due. To be called at or after next_timeout(); extra calls do no harm.
    void on_timer(Now now);
    [[nodiscard]] std::optional<SteadyTime> next_timeout() const;

    // False if the handle is stale or the response exceeds a limit (the peer then gets 5.00).
    bool respond(RequestHandle handle, const Response& response, Now now);
    // Both are false if the handle is stale. ack() sends nothing for a NON.
    bool ack(NotificationHandle handle);
    bool reset(NotificationHandle handle);
    // The notification could not be stored: as if it had never come, so that its retransmission is handed to the
    // visitor again. False if the handle is stale.
    bool forget(NotificationHandle handle);

    // `cookie` is the caller's name of the exchange in on_response() and on_request_failed(): exactly one of them
    // follows when this returns ok, never from within this call.
    [[nodiscard]] SendStatus send_request(const PeerId& peer, const Request& request, std::uint64_t cookie, Now now);
    // Server side of Observe. For a confirmable one on_notification_acknowledged() or on_notification_failed()
    // follows; not queued behind requests. `mid`, if given, receives the message id (for on_reset()).
    [[nodiscard]] SendStatus send_notification(const PeerId& peer, const Notification& notification,
                                               std::uint64_t cookie, Now now, std::uint16_t* mid = nullptr);
    // Gives up an exchange: on_request_failed(cancelled) follows from within this call. False if there is none.
    bool cancel(std::uint64_t cookie, Now now);
    // Gives up everything outstanding and queued for a peer.
    void cancel_peer(const PeerId& peer, Now now);
    // The peer has a new address: what is queued or outstanding for `from` goes on with `to`; the outstanding
    // message is sent again to the new address at its next retransmission.
    void rebind_peer(const PeerId& from, const PeerId& to, Now now);

    // Who sent a request; nothing if the handle is stale.
    [[nodiscard]] std::optional<PeerId> peer_of(RequestHandle handle) const;
    [[nodiscard]] const Stats& stats() const;
    // Requests and notifications of ours, queued or outstanding.
    [[nodiscard]] std::size_t exchanges_in_progress() const;
    // Requests not answered by the application yet.
    [[nodiscard]] std::size_t requests_pending() const;

  private:
    class Core;
    std::unique_ptr<Core> core_;
};

}  // namespace lanyard::coap
