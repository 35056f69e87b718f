#pragma once

#include <cstdint>
#include <optional>

#include "base/time.hpp"
#include "coap/message.hpp"
#include "coap/peer.hpp"

namespace lanyard::coap {

// Names a received request until it is answered. Stale handles (answered, or forgotten after EXCHANGE_LIFETIME)
// are recognised and refused. 0 names nothing.
struct RequestHandle {
    std::uint64_t id = 0;
    friend bool operator==(const RequestHandle&, const RequestHandle&) = default;
};

// Names a received notification until it is accepted or rejected, as RequestHandle does.
struct NotificationHandle {
    std::uint64_t id = 0;
    friend bool operator==(const NotificationHandle&, const NotificationHandle&) = default;
};

// A request as handed to the application; valid during the call only. With Block1, `message` is the last block and
// `payload` the whole body.
struct RequestView {
    const MessageView& message;
    ByteView payload;

    [[nodiscard]] Code method() const { return message.code(); }
};

// An answer to a request of ours; valid during the call only. With Block2, `message` is the last block, `payload`
// the whole body, and `observe` that of the first block.
struct ResponseView {
    const MessageView& message;
    ByteView payload;
    Token token;                           // of the request as sent first
    std::optional<std::uint32_t> observe;  // set: the observation stands (RFC 7641 section 3.1)

    [[nodiscard]] Code code() const { return message.code(); }
};

// A response that answers no request in progress: a notification of an observation, or a response that came too
// late. Valid during the call only.
struct NotificationView {
    const MessageView& message;
    ByteView payload;
    std::optional<std::uint32_t> observe;
    // More set: `payload` is only the first block; fetch the rest with Request::resume (RFC 7959 section 2.6).
    std::optional<BlockOption> block2;

    [[nodiscard]] Code code() const { return message.code(); }
    [[nodiscard]] const Token& token() const { return message.token(); }
    [[nodiscard]] bool confirmable() const { return message.type() == Type::confirmable; }
};

// The beginning of a body that a notification has brought; the endpoint copies it.
struct PartialBody {
    ByteView received;
    ByteView etag;     // as in the notification; empty if it had none
    std::uint8_t szx;  // as in its Block2 option
};

// A request to be sent; the endpoint copies what it needs. Options must not contain Block1, Block2, Size1: the
// endpoint adds them where the payload or the answer needs them.
struct Request {
    Code method = Code::get;
    Options options;
    ByteView payload;
    bool confirmable = true;
    // Left out: eight bytes from the endpoint's random numbers.
    std::optional<Token> token;
    // When to give up, waiting in the queue included. Left out: EXCHANGE_LIFETIME (NON: NON_LIFETIME) from now.
    std::optional<SteadyTime> deadline;
    // Set: fetch the rest of this body; the answer then is the whole of it.
    const PartialBody* resume = nullptr;
};

// The answer to a request. Options must not contain Block1, Block2, Size2 or, where the payload exceeds a block and
// the body is not a representation with an ETag of its own, ETag: the endpoint adds them.
struct Response {
    Code code = Code::content;
    Options options;
    ByteView payload;
};

// Why a request, or a notification of ours, did not get through.
enum class FailureReason : std::uint8_t {
    timeout,         // its deadline passed, while queued, unacknowledged or unanswered
    unacknowledged,  // MAX_RETRANSMIT transmissions without any sign of life: the peer sleeps or is gone
    reset,           // the peer answered with a Reset
    cancelled,       // by cancel() or cancel_peer()
    too_large,       // the body, in or out, exceeds a limit
    block_transfer,  // the peer broke the rules of RFC 7959, or the body kept changing
};
std::string_view to_string(FailureReason reason);

// Why a request was not even queued.
enum class SendStatus : std::uint8_t {
    ok,
    queue_full,        // exchanges_per_peer
    overloaded,        // a limit of the whole endpoint
    too_large,         // body or options exceed a limit
    duplicate_cookie,  // an exchange with this cookie is in progress
    token_in_use,      // an exchange with this peer and token is in progress
    deadline_passed,
};
std::string_view to_string(SendStatus status);

}  // namespace lanyard::coap
