#pragma once

#include <optional>

#include "base/timer_wheel.hpp"
#include "context.hpp"
#include "exchange.hpp"
#include "lru_pool.hpp"

namespace lanyard::coap {

// The half of an endpoint that sends messages and waits: requests with their queues, separate responses,
// notifications. Retransmits, matches what comes back, runs block-wise transfers of requests. Not thread-safe.
class Client {
  public:
    using Index = ExchangePool::Index;
    static constexpr Index kNone = ExchangePool::kNone;

    explicit Client(Context& context);

    // As in Endpoint.
    SendStatus send_request(const PeerId& peer, const Request& request, std::uint64_t cookie, SteadyTime now);
    SendStatus send_notification(const PeerId& peer, const Notification& notification, std::uint64_t cookie,
                                 SteadyTime now, std::uint16_t* mid);
    bool cancel(std::uint64_t cookie, SteadyTime now);
    void cancel_peer(const PeerId& peer, SteadyTime now);
    void rebind_peer(const PeerId& from, const PeerId& to, SteadyTime now);

    // Sends a response as a message of its own, acknowledged or not. Its message id is filled in here.
    void send_response(const PeerId& peer, std::span<std::uint8_t> datagram, bool confirmable, SteadyTime now);

    void on_empty_ack(const PeerId& peer, std::uint16_t mid, SteadyTime now);
    void on_reset(const PeerId& peer, std::uint16_t mid, SteadyTime now);
    void on_piggybacked(const PeerId& peer, const MessageView& response, SteadyTime now);
    // The outstanding request that a response in a message of its own answers; kNone if there is none.
    [[nodiscard]] Index find_request(const PeerId& peer, const Token& token);
    void on_response(Index at, const MessageView& response, SteadyTime now);

    void on_timer(SteadyTime now);
    [[nodiscard]] std::optional<SteadyTime> next_timeout() const { return wheel_.next_deadline(); }
    [[nodiscard]] std::size_t in_progress() const { return exchanges_.used(); }

  private:
    // A peer that we have sent messages to within EXCHANGE_LIFETIME: its exchanges in the order of send_request().
    struct Peer {
        Index first = kNone;
        Index last = kNone;
        Index active = kNone;  // the outstanding request, NSTART
        std::uint16_t next_mid = 0;
        std::uint16_t count = 0;
    };
    using Peers = LruPool<PeerId, Peer, PeerHash>;
    using Kind = Exchange::Kind;
    using Phase = Exchange::Phase;

    SendStatus check(const Request& request, std::uint64_t cookie, SteadyTime now) const;
    SendStatus prepare(Exchange& exchange, const Request& request);
    Peers::Index peer_slot(const PeerId& peer, SteadyTime now);
    Index open(Peers::Index peer, Kind kind);
    void link(Peers::Index peer, Index at);
    void unlink(Index at);
    void close(Index at);
    void start_next(Peers::Index peer, SteadyTime now);
    void transmit_first(Index at, SteadyTime now);
    void arm(Index at);
    void on_expired(Index at, SteadyTime now);
    void complete(Index at, const MessageView& response, ByteView payload, SteadyTime now);
    void fail(Index at, FailureReason reason, SteadyTime now);
    void report_failure(const Exchange& exchange, FailureReason reason);
    template <class Predicate>
    Index find_exchange(const PeerId& peer, Predicate predicate);

    // Block-wise transfers (client_transfer.cpp). advance_upload() and advance_download() are true when the exchange
    // goes on or has failed, false when the response is final.
    bool advance_upload(Index at, const MessageView& response, SteadyTime now);
    bool advance_download(Index at, const MessageView& response, SteadyTime now);
    [[nodiscard]] bool build_upload(Exchange& exchange);
    [[nodiscard]] bool build_download(Exchange& exchange);
    [[nodiscard]] bool count_bytes(Transfer& transfer);
    Transfer& transfer_of(Exchange& exchange);

    Context& context_;
    ExchangePool exchanges_;
    Peers peers_;
    FlatMap<std::uint64_t, Index> by_cookie_;
    TimerWheel wheel_;
    std::size_t download_bytes_ = 0;
};

}  // namespace lanyard::coap
