#include "client.hpp"

namespace lanyard::coap {
namespace {

void set_mid(std::span<std::uint8_t> datagram, std::uint16_t mid) {
    datagram[2] = static_cast<std::uint8_t>(mid >> 8);
    datagram[3] = static_cast<std::uint8_t>(mid);
}

}  // namespace

Client::Client(Context& context)
    : context_(context),
      exchanges_(context.config.limits.exchanges),
      peers_(PeerHash{mix64(context.config.seed + 2)}),
      wheel_(context.origin) {}

SendStatus Client::check(const Request& request, std::uint64_t cookie, SteadyTime now) const {
    const EndpointLimits& limits = context_.config.limits;
    if (by_cookie_.contains(cookie)) return SendStatus::duplicate_cookie;
    if (request.deadline && *request.deadline <= now) return SendStatus::deadline_passed;
    if (!request.options.ok() || request.payload.size() > limits.request_body_bytes) return SendStatus::too_large;
    if (request.resume != nullptr && request.resume->received.size() > limits.block2_body_bytes) {
        return SendStatus::too_large;
    }
    return SendStatus::ok;
}

SendStatus Client::send_request(const PeerId& peer, const Request& request, std::uint64_t cookie, SteadyTime now) {
    if (const SendStatus status = check(request, cookie, now); status != SendStatus::ok) return status;
    const Peers::Index slot = peer_slot(peer, now);
    if (slot == Peers::kNone) return SendStatus::overloaded;
    if (peers_[slot].count >= context_.config.limits.exchanges_per_peer) {
        ++context_.stats.queue_full;
        return SendStatus::queue_full;
    }
    const auto same_token = [&](const Exchange& other) {
        return other.kind == Kind::request && (other.token == *request.token || other.first_token == *request.token);
    };
    if (request.token && find_exchange(peer, same_token) != kNone) return SendStatus::token_in_use;
    const Index at = exchanges_.allocate();
    if (at == kNone) return SendStatus::overloaded;
    Exchange& exchange = exchanges_[at];
    exchange.kind = Kind::request;
    exchange.phase = Phase::queued;
    exchange.cookie = cookie;
    exchange.confirmable = request.confirmable;
    exchange.token = request.token ? *request.token : Token::from_u64(context_.random.next());
    exchange.first_token = exchange.token;
    const TxParams& tx = context_.config.tx;
    exchange.deadline =
        request.deadline.value_or(now + (request.confirmable ? tx.exchange_lifetime() : tx.non_lifetime()));
    if (const SendStatus status = prepare(exchange, request); status != SendStatus::ok) {
        if (exchange.transfer != nullptr) download_bytes_ -= exchange.transfer->counted_bytes;
        exchanges_.release(at);
        return status;
    }
    by_cookie_.try_emplace(cookie, at);
    link(slot, at);
    arm(at);
    start_next(slot, now);
    return SendStatus::ok;
}

// Writes the first datagram of a request, whole or as the first block.
SendStatus Client::prepare(Exchange& exchange, const Request& request) {
    const Header header{request.confirmable ? Type::confirmable : Type::non_confirmable, request.method, 0};
    const bool blockwise = request.payload.size() > context_.block_size() || request.resume != nullptr;
    if (!blockwise) {
        std::array<std::uint8_t, kMaxDatagramOut> buffer;
        const ByteView datagram = encode(buffer, header, exchange.token, request.options, request.payload);
        exchange.wire.assign(datagram.begin(), datagram.end());
        return datagram.empty() ? SendStatus::too_large : SendStatus::ok;
    }
    exchange.wire.resize(kMaxDatagramOut + request.payload.size());
    const ByteView whole = encode(exchange.wire, header, exchange.token, request.options, request.payload);
    if (whole.empty()) return SendStatus::too_large;
    exchange.wire.resize(whole.size());
    Transfer& transfer = transfer_of(exchange);
    if (request.resume == nullptr) return build_upload(exchange) ? SendStatus::ok : SendStatus::too_large;
    const PartialBody& partial = *request.resume;
    const std::uint8_t szx = std::min(partial.szx, std::uint8_t{6});
    const std::size_t whole_blocks = partial.received.size() >> (szx + 4) << (szx + 4);
    transfer.down = Block2Receiver(partial.received.first(whole_blocks), partial.etag, szx);
    transfer.downloading = true;
    return count_bytes(transfer) && build_download(exchange) ? SendStatus::ok : SendStatus::too_large;
}

Client::Peers::Index Client::peer_slot(const PeerId& peer, SteadyTime now) {
    const Duration lifetime = context_.config.tx.exchange_lifetime();
    if (const Peers::Index at = peers_.find(peer); at != Peers::kNone) {
        peers_.touch(at, now);
        return at;
    }
    const bool full = peers_.size() >= context_.config.limits.peers;
    // Two looks at most, so that the cost of one message stays bounded.
    for (int looks = 0; looks < 2 && peers_.oldest() != Peers::kNone; ++looks) {
        const Peers::Index oldest = peers_.oldest();
        if (!full && peers_.used(oldest) + lifetime > now) break;
        if (peers_[oldest].count == 0) {
            peers_.erase(oldest);
            break;
        }
        peers_.touch(oldest, now);
    }
    if (peers_.size() >= context_.config.limits.peers) {
        ++context_.stats.peers_refused;
        return Peers::kNone;
    }
    const Peers::Index at = peers_.insert(peer, now);
    peers_[at].next_mid = static_cast<std::uint16_t>(context_.random.next());
    return at;
}

void Client::link(Peers::Index slot, Index at) {
    Peer& peer = peers_[slot];
    Exchange& exchange = exchanges_[at];
    exchange.peer = slot;
    exchange.previous = peer.last;
    exchange.next = kNone;
    (peer.last == kNone ? peer.first : exchanges_[peer.last].next) = at;
    peer.last = at;
    ++peer.count;
}

void Client::unlink(Index at) {
    const Exchange& exchange = exchanges_[at];
    Peer& peer = peers_[exchange.peer];
    (exchange.previous == kNone ? peer.first : exchanges_[exchange.previous].next) = exchange.next;
    (exchange.next == kNone ? peer.last : exchanges_[exchange.next].previous) = exchange.previous;
    if (peer.active == at) peer.active = kNone;
    --peer.count;
}

// Takes an exchange out of everything that could find it; the record itself stays until release().
void Client::close(Index at) {
    Exchange& exchange = exchanges_[at];
    wheel_.cancel(at);
    if (exchange.kind == Kind::request) by_cookie_.erase(exchange.cookie);
    if (exchange.transfer != nullptr) download_bytes_ -= exchange.transfer->counted_bytes;
    unlink(at);
}

void Client::start_next(Peers::Index slot, SteadyTime now) {
    if (peers_[slot].active != kNone) return;
    for (Index at = peers_[slot].first; at != kNone; at = exchanges_[at].next) {
        if (exchanges_[at].phase != Phase::queued) continue;
        peers_[slot].active = at;
        transmit_first(at, now);
        return;
    }
}

void Client::transmit_first(Index at, SteadyTime now) {
    Exchange& exchange = exchanges_[at];
    peers_.touch(exchange.peer, now);
    exchange.mid = peers_[exchange.peer].next_mid++;
    set_mid(exchange.wire, exchange.mid);
    exchange.retransmissions = 0;
    exchange.phase = exchange.confirmable ? Phase::unacknowledged : Phase::unanswered;
    exchange.timeout = context_.config.tx.initial_timeout(static_cast<std::uint32_t>(context_.random.next()));
    exchange.retransmit_at = now + exchange.timeout;
    if (exchange.kind == Kind::request) ++context_.stats.requests_sent;
    arm(at);
    context_.transmit(peers_.key(exchange.peer), exchange.wire);
}

void Client::arm(Index at) {
    const Exchange& exchange = exchanges_[at];
    const bool retransmits = exchange.phase == Phase::unacknowledged;
    wheel_.schedule(at, retransmits ? std::min(exchange.retransmit_at, exchange.deadline) : exchange.deadline);
}

void Client::on_timer(SteadyTime now) {
    wheel_.advance(now, [this, now](TimerWheel::Id id) { on_expired(id, now); });
}

void Client::on_expired(Index at, SteadyTime now) {
    Exchange& exchange = exchanges_[at];
    if (exchange.deadline <= now) {
        fail(at, FailureReason::timeout, now);
        return;
    }
    if (exchange.phase != Phase::unacknowledged || exchange.retransmit_at > now) {
        arm(at);
        return;
    }
    if (exchange.retransmissions == context_.config.tx.max_retransmit) {
        ++context_.stats.transmit_timeouts;
        fail(at, FailureReason::unacknowledged, now);
        return;
    }
    ++exchange.retransmissions;
    ++context_.stats.retransmissions;
    exchange.timeout *= 2;
    exchange.retransmit_at = now + exchange.timeout;
    arm(at);
    context_.transmit(peers_.key(exchange.peer), exchange.wire);
}

void Client::complete(Index at, const MessageView& response, ByteView payload, SteadyTime now) {
    const Exchange& exchange = exchanges_[at];
    const Peers::Index slot = exchange.peer;
    close(at);
    const ResponseView view{response, payload, exchange.first_token,
                            exchange.transfer != nullptr && exchange.transfer->downloading ? exchange.transfer->observe
                                                                                           : response.observe()};
    context_.visitor.on_response(exchange.cookie, view);
    exchanges_.release(at);
    start_next(slot, now);
}

void Client::fail(Index at, FailureReason reason, SteadyTime now) {
    const Peers::Index slot = exchanges_[at].peer;
    close(at);
    report_failure(exchanges_[at], reason);
    exchanges_.release(at);
    start_next(slot, now);
}

void Client::report_failure(const Exchange& exchange, FailureReason reason) {
    if (exchange.kind == Kind::request) {
        ++context_.stats.requests_failed;
        context_.visitor.on_request_failed(exchange.cookie, reason);
    } else if (exchange.kind == Kind::notification) {
        context_.visitor.on_notification_failed(exchange.cookie, reason);
    }
}

template <class Predicate>
Client::Index Client::find_exchange(const PeerId& peer, Predicate predicate) {
    const Peers::Index slot = peers_.find(peer);
    if (slot == Peers::kNone) return kNone;
    Index at = peers_[slot].first;
    while (at != kNone && !predicate(exchanges_[at])) at = exchanges_[at].next;
    return at;
}

void Client::on_empty_ack(const PeerId& peer, std::uint16_t mid, SteadyTime now) {
    const Index at = find_exchange(peer, [mid](const Exchange& exchange) {
        return exchange.phase == Phase::unacknowledged && exchange.mid == mid;
    });
    if (at == kNone) {
        ++context_.stats.unmatched;
        return;
    }
    Exchange& exchange = exchanges_[at];
    if (exchange.kind == Kind::request) {
        exchange.phase = Phase::unanswered;
        arm(at);
        return;
    }
    const Peers::Index slot = exchange.peer;
    close(at);
    if (exchange.kind == Kind::notification) context_.visitor.on_notification_acknowledged(exchange.cookie);
    exchanges_.release(at);
    start_next(slot, now);
}

void Client::on_reset(const PeerId& peer, std::uint16_t mid, SteadyTime now) {
    ++context_.stats.resets_received;
    const Index at = find_exchange(
        peer, [mid](const Exchange& exchange) { return exchange.phase != Phase::queued && exchange.mid == mid; });
    if (at == kNone) {
        ++context_.stats.unmatched;
        context_.visitor.on_reset(peer, mid);
        return;
    }
    fail(at, FailureReason::reset, now);
}

void Client::on_piggybacked(const PeerId& peer, const MessageView& response, SteadyTime now) {
    // RFC 7252 section 5.3.2: both the message id and the token must match.
    const Index at = find_exchange(peer, [&](const Exchange& exchange) {
        return exchange.kind == Kind::request && exchange.phase != Phase::queued && exchange.confirmable &&
               exchange.mid == response.mid() && exchange.token == response.token();
    });
    if (at == kNone) {
        ++context_.stats.unmatched;
        return;
    }
    on_response(at, response, now);
}

Client::Index Client::find_request(const PeerId& peer, const Token& token) {
    return find_exchange(peer, [&token](const Exchange& exchange) {
        return exchange.kind == Kind::request && exchange.phase != Phase::queued && exchange.token == token;
    });
}

void Client::on_response(Index at, const MessageView& response, SteadyTime now) {
    ++context_.stats.responses_received;
    if (advance_upload(at, response, now)) return;
    if (advance_download(at, response, now)) return;
    const Exchange& exchange = exchanges_[at];
    const bool assembled = exchange.transfer != nullptr && exchange.transfer->downloading &&
                           response.find_block(OptionNumber::block2).has_value();
    complete(at, response, assembled ? exchange.transfer->down.body() : response.payload(), now);
}

}  // namespace lanyard::coap
