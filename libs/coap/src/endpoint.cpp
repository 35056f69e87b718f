#include "coap/endpoint.hpp"

#include "server.hpp"

namespace lanyard::coap {

// Decodes, remembers, and hands each message to the half that it is for.
class Endpoint::Core {
  public:
    Core(const EndpointConfig& config, EndpointVisitor& visitor, SteadyTime now)
        : context(config, visitor, now), client(context), server(context, client) {}

    void on_datagram(const PeerId& peer, ByteView datagram, SteadyTime now);
    void on_timer(SteadyTime now);
    [[nodiscard]] std::optional<SteadyTime> next_timeout();
    bool settle(NotificationHandle handle, bool accepted);
    bool forget(NotificationHandle handle);

    Context context;
    Client client;
    Server server;

  private:
    void on_malformed(const PeerId& peer, ByteView datagram, DecodeError error);
    void on_empty(const PeerId& peer, const MessageView& message, SteadyTime now);
    void on_new_message(const PeerId& peer, const MessageView& message, SteadyTime now);
    void on_new_response(const PeerId& peer, const MessageView& message, std::uint64_t sequence, SteadyTime now);
    void forget_expired(SteadyTime now, std::size_t limit);
    [[nodiscard]] bool oldest_expired(SteadyTime now);
};

namespace {

// Messages forgotten by one call of on_timer(), so that it stays short; what is left is due at once again.
constexpr std::size_t kForgetBatch = 4096;
// Expiry of remembered messages is housekeeping: no need to wake up for each of them.
constexpr Duration kForgetSlack = std::chrono::seconds(1);

}  // namespace

void Endpoint::Core::on_datagram(const PeerId& peer, ByteView datagram, SteadyTime now) {
    context.last_now = now;
    ++context.stats.datagrams_received;
    MessageView message;
    if (const DecodeError error = message.decode(datagram); error != DecodeError::none) {
        on_malformed(peer, datagram, error);
    } else if (message.code() == Code::empty) {
        on_empty(peer, message, now);
    } else if (message.type() == Type::confirmable || message.type() == Type::non_confirmable) {
        on_new_message(peer, message, now);
    } else if (message.type() == Type::acknowledgement && is_response(message.code())) {
        // RFC 7252 section 5.4.1: with an option that must be understood and is not, it is ignored.
        if (has_bad_option(message)) {
            ++context.stats.rejected_responses;
        } else {
            client.on_piggybacked(peer, message, now);
        }
    } else {
        ++context.stats.unmatched;  // an ACK with a request, a Reset with anything: ignored, section 4.2
    }
}

// RFC 7252 section 4.2: a CON with a format error is rejected with a Reset, anything else is ignored. Section 3: a
// message of another version is ignored silently.
void Endpoint::Core::on_malformed(const PeerId& peer, ByteView datagram, DecodeError error) {
    ++context.stats.malformed[static_cast<std::size_t>(error)];
    const std::optional<Header> header = peek_header(datagram);
    if (header && header->type == Type::confirmable) context.send_empty(peer, Type::reset, header->mid);
    context.visitor.on_malformed(peer, error);
}

void Endpoint::Core::on_empty(const PeerId& peer, const MessageView& message, SteadyTime now) {
    switch (message.type()) {
        case Type::confirmable:
            ++context.stats.pings_received;
            context.send_empty(peer, Type::reset, message.mid());
            return;
        case Type::acknowledgement:
            client.on_empty_ack(peer, message.mid(), now);
            return;
        case Type::reset:
            client.on_reset(peer, message.mid(), now);
            return;
        case Type::non_confirmable:
            return;  // means nothing, section 4.3
    }
}

void Endpoint::Core::on_new_message(const PeerId& peer, const MessageView& message, SteadyTime now) {
    DedupTable& dedup = context.dedup;
    const DedupTable::Key key = dedup.key(peer, message.mid());
    if (const DedupEntry* entry = dedup.find(key)) {
        if (entry->state == DedupState::forgotten && is_response(message.code())) {
            on_new_response(peer, message, dedup.sequence_of(*entry), now);
        } else {
            server.on_duplicate(*entry);
        }
        return;
    }
    forget_expired(now, 2);  // as many as keep up with any rate
    if (dedup.full()) {
        ++context.stats.dedup_evicted;
        server.forget_oldest();
    }
    const std::uint64_t sequence = dedup.insert(key, context.millis(now));
    dedup.at(sequence)->confirmable = message.type() == Type::confirmable;
    if (is_request(message.code())) {
        server.on_request(peer, message, sequence, now);
    } else {
        on_new_response(peer, message, sequence, now);
    }
}

void Endpoint::Core::on_new_response(const PeerId& peer, const MessageView& message, std::uint64_t sequence,
                                     SteadyTime now) {
    DedupEntry& entry = *context.dedup.at(sequence);
    if (has_bad_option(message)) {
        ++context.stats.rejected_responses;
        if (!entry.confirmable) return;
        entry.state = DedupState::rejected;
        context.send_empty(peer, Type::reset, message.mid());
        return;
    }
    if (const Client::Index at = client.find_request(peer, message.token()); at != Client::kNone) {
        entry.state = DedupState::acknowledged;
        if (entry.confirmable) context.send_empty(peer, Type::acknowledgement, message.mid());
        client.on_response(at, message, now);
        return;
    }
    entry.state = DedupState::pending_notification;
    ++context.stats.notifications_received;
    const NotificationView view{message, message.payload(), message.observe(),
                                message.find_block(OptionNumber::block2)};
    context.visitor.on_notification(peer, view, NotificationHandle{sequence});
}

bool Endpoint::Core::settle(NotificationHandle handle, bool accepted) {
    DedupEntry* entry = context.dedup.at(handle.id);
    if (entry == nullptr || entry->state != DedupState::pending_notification) return false;
    ++(accepted ? context.stats.notifications_accepted : context.stats.notifications_rejected);
    entry->state = accepted ? DedupState::acknowledged : DedupState::rejected;
    if (!accepted) {
        context.send_empty(entry->peer(), Type::reset, entry->mid);
    } else if (entry->confirmable) {
        context.send_empty(entry->peer(), Type::acknowledgement, entry->mid);
    }
    return true;
}

bool Endpoint::Core::forget(NotificationHandle handle) {
    DedupEntry* entry = context.dedup.at(handle.id);
    if (entry == nullptr || entry->state != DedupState::pending_notification) return false;
    entry->state = DedupState::forgotten;
    return true;
}

bool Endpoint::Core::oldest_expired(SteadyTime now) {
    const DedupEntry* oldest = context.dedup.at(context.dedup.oldest());
    return oldest != nullptr && context.time_of(oldest->arrived_ms) + context.config.tx.exchange_lifetime() <= now;
}

void Endpoint::Core::forget_expired(SteadyTime now, std::size_t limit) {
    for (; limit > 0 && oldest_expired(now); --limit) server.forget_oldest();
}

void Endpoint::Core::on_timer(SteadyTime now) {
    context.last_now = now;
    forget_expired(now, kForgetBatch);
    server.on_timer(now);
    client.on_timer(now);
}

std::optional<SteadyTime> Endpoint::Core::next_timeout() {
    std::optional<SteadyTime> next = client.next_timeout();
    if (const auto time = server.next_timeout(); time && (!next || *time < *next)) next = time;
    if (const DedupEntry* oldest = context.dedup.at(context.dedup.oldest())) {
        const SteadyTime time =
            context.time_of(oldest->arrived_ms) + context.config.tx.exchange_lifetime() + kForgetSlack;
        if (!next || time < *next) next = time;
    }
    return next;
}

Endpoint::Endpoint(const EndpointConfig& config, EndpointVisitor& visitor, Now now)
    : core_(std::make_unique<Core>(config, visitor, now.steady)) {}
Endpoint::~Endpoint() = default;

void Endpoint::on_datagram(const PeerId& peer, ByteView datagram, Now now) {
    core_->on_datagram(peer, datagram, now.steady);
}
void Endpoint::on_timer(Now now) {
    core_->on_timer(now.steady);
}
std::optional<SteadyTime> Endpoint::next_timeout() const {
    return core_->next_timeout();
}

bool Endpoint::respond(RequestHandle handle, const Response& response, Now now) {
    return core_->server.respond(handle.id, response, now.steady);
}
bool Endpoint::ack(NotificationHandle handle) {
    return core_->settle(handle, true);
}
bool Endpoint::reset(NotificationHandle handle) {
    return core_->settle(handle, false);
}
bool Endpoint::forget(NotificationHandle handle) {
    return core_->forget(handle);
}

SendStatus Endpoint::send_request(const PeerId& peer, const Request& request, std::uint64_t cookie, Now now) {
    return core_->client.send_request(peer, request, cookie, now.steady);
}
SendStatus Endpoint::send_notification(const PeerId& peer, const Notification& notification, std::uint64_t cookie,
                                       Now now, std::uint16_t* mid) {
    return core_->client.send_notification(peer, notification, cookie, now.steady, mid);
}
bool Endpoint::cancel(std::uint64_t cookie, Now now) {
    return core_->client.cancel(cookie, now.steady);
}
void Endpoint::cancel_peer(const PeerId& peer, Now now) {
    core_->client.cancel_peer(peer, now.steady);
}
void Endpoint::rebind_peer(const PeerId& from, const PeerId& to, Now now) {
    core_->client.rebind_peer(from, to, now.steady);
}

std::optional<PeerId> Endpoint::peer_of(RequestHandle handle) const {
    const DedupEntry* entry = core_->context.dedup.at(handle.id);
    return entry == nullptr ? std::nullopt : std::optional(entry->peer());
}
const Stats& Endpoint::stats() const {
    return core_->context.stats;
}
std::size_t Endpoint::exchanges_in_progress() const {
    return core_->client.in_progress();
}
std::size_t Endpoint::requests_pending() const {
    return core_->server.pending();
}

}  // namespace lanyard::coap
