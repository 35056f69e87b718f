#include <algorithm>

#include "client.hpp"
#include "etag.hpp"

// What an owner does to exchanges from outside: separate responses, notifications, cancelling, rebinding.
namespace lanyard::coap {

Client::Index Client::open(Peers::Index slot, Kind kind) {
    if (slot == Peers::kNone) return kNone;
    const Index at = exchanges_.allocate();
    if (at == kNone) return kNone;
    Exchange& exchange = exchanges_[at];
    exchange.kind = kind;
    exchange.deadline = SteadyTime::max();
    link(slot, at);
    return at;
}

void Client::send_response(const PeerId& peer, std::span<std::uint8_t> datagram, bool confirmable, SteadyTime now) {
    const Peers::Index slot = peer_slot(peer, now);
    const Index at = confirmable ? open(slot, Kind::response) : kNone;
    if (at != kNone) {
        exchanges_[at].wire.assign(datagram.begin(), datagram.end());
        transmit_first(at, now);
        return;
    }
    // Not to be kept, or no room to keep it: sent once, as a NON.
    const std::uint16_t mid =
        slot == Peers::kNone ? static_cast<std::uint16_t>(context_.random.next()) : peers_[slot].next_mid++;
    datagram[0] = static_cast<std::uint8_t>((datagram[0] & 0xcf) | (static_cast<unsigned>(Type::non_confirmable) << 4));
    datagram[2] = static_cast<std::uint8_t>(mid >> 8);
    datagram[3] = static_cast<std::uint8_t>(mid);
    context_.transmit(peer, datagram);
}

SendStatus Client::send_notification(const PeerId& peer, const Notification& notification, std::uint64_t cookie,
                                     SteadyTime now, std::uint16_t* mid) {
    if (notification.payload.size() > context_.config.limits.response_body_bytes) return SendStatus::too_large;
    const Type type = notification.confirmable ? Type::confirmable : Type::non_confirmable;
    std::array<std::uint8_t, kMaxDatagramOut> buffer;
    MessageWriter writer(buffer, {type, notification.code, 0}, notification.token);
    const std::size_t block_size = context_.block_size();
    if (notification.payload.size() > block_size) {
        Options options = notification.options;
        add_etag(options, notification.payload);
        options.add_block(OptionNumber::block2, {0, true, context_.config.szx});
        options.add_uint(OptionNumber::size2, notification.payload.size());
        writer.options(options);
    } else {
        writer.options(notification.options);
    }
    writer.payload(notification.payload.first(std::min(block_size, notification.payload.size())));
    const std::size_t size = writer.finish().size();
    if (size == 0) return SendStatus::too_large;

    const Peers::Index slot = peer_slot(peer, now);
    if (slot == Peers::kNone) return SendStatus::overloaded;
    if (mid != nullptr) *mid = peers_[slot].next_mid;
    ++context_.stats.notifications_sent;
    if (!notification.confirmable) {
        send_response(peer, std::span(buffer).first(size), false, now);
        return SendStatus::ok;
    }
    if (peers_[slot].count >= context_.config.limits.exchanges_per_peer) return SendStatus::queue_full;
    const Index at = open(slot, Kind::notification);
    if (at == kNone) return SendStatus::overloaded;
    Exchange& exchange = exchanges_[at];
    exchange.cookie = cookie;
    exchange.wire.assign(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(size));
    transmit_first(at, now);
    return SendStatus::ok;
}

bool Client::cancel(std::uint64_t cookie, SteadyTime now) {
    const Index* at = by_cookie_.find(cookie);
    if (at == nullptr) return false;
    fail(*at, FailureReason::cancelled, now);
    return true;
}

void Client::cancel_peer(const PeerId& peer, SteadyTime now) {
    const Peers::Index slot = peers_.find(peer);
    if (slot == Peers::kNone) return;
    // What the visitor sends meanwhile goes to the end of the list and stays; `active` keeps it from starting.
    for (std::uint16_t left = peers_[slot].count; left > 0 && peers_[slot].first != kNone; --left) {
        const Index at = peers_[slot].first;
        close(at);
        peers_[slot].active = at;
        report_failure(exchanges_[at], FailureReason::cancelled);
        exchanges_.release(at);
    }
    if (peers_.find(peer) != slot) return;  // the visitor has sent so much that the slot is another's now
    peers_[slot].active = kNone;
    start_next(slot, now);
}

void Client::rebind_peer(const PeerId& from, const PeerId& to, SteadyTime now) {
    const Peers::Index old_slot = peers_.find(from);
    if (old_slot == Peers::kNone || from == to) return;
    const Peers::Index new_slot = peers_.find(to);
    if (new_slot == Peers::kNone) {
        peers_.rename(old_slot, to);
        peers_.touch(old_slot, now);
        return;
    }
    const Index active = peers_[old_slot].active;
    for (Index at = peers_[old_slot].first; at != kNone;) {
        const Index next = exchanges_[at].next;
        link(new_slot, at);
        at = next;
    }
    const std::uint16_t next_mid = peers_[old_slot].next_mid;
    peers_[old_slot] = Peer{};
    peers_[old_slot].next_mid = next_mid;
    if (peers_[new_slot].active == kNone) peers_[new_slot].active = active;
    start_next(new_slot, now);
}

}  // namespace lanyard::coap
