#include "server.hpp"

#include <algorithm>
#include <string>

namespace lanyard::coap {
namespace {

// How long a peer that was refused for want of room is asked to wait.
constexpr std::uint32_t kOverloadMaxAgeSeconds = 10;

}  // namespace

Server::Server(Context& context, Client& client)
    : context_(context),
      client_(client),
      replays_(context.config.limits.replay_bytes),
      // A peer that is silent for so long has given up its last block.
      block1_(context.config.limits, context.config.tx.max_transmit_wait(), mix64(context.config.seed + 3),
              context.stats),
      block2_(context.config.limits, context.config.tx.max_transmit_wait(), mix64(context.config.seed + 4)) {}

void Server::on_request(const PeerId& peer, const MessageView& request, std::uint64_t sequence, SteadyTime now) {
    DedupEntry& entry = *context_.dedup.at(sequence);
    const RequestScan scan = scan_request(request);
    if (scan.bad_option) {
        ++context_.stats.bad_options;
        // RFC 7252 section 5.4.1: 4.02 for a CON; a NON is rejected, silently.
        if (entry.confirmable) refuse_option(entry, request.token(), *scan.bad_option, now);
        return;
    }
    if (scan.proxy) return refuse(entry, request.token(), Code::proxying_not_supported, "not a proxy", now);
    if (scan.bad_block) return refuse(entry, request.token(), Code::bad_request, "block size 7 is reserved", now);
    ByteView payload = request.payload();
    if (scan.block1) {
        if (!receive_block(peer, request, scan, entry, now)) return;
        payload = block1_.body();
    }
    if (scan.block2 && scan.block2->num != 0) {
        const Pending asked{request.token(), scan.key, scan.block1, scan.block2, kNoSlot};
        if (serve_cached(peer, asked, entry, now)) return;
    }
    hand_over(peer, request, payload, scan, sequence);
}

void Server::hand_over(const PeerId& peer, const MessageView& request, ByteView payload, const RequestScan& scan,
                       std::uint64_t sequence) {
    DedupEntry& entry = *context_.dedup.at(sequence);
    const std::optional<std::uint32_t> slot = allocate();
    if (!slot) {
        ++context_.stats.overload_refused;
        Options options;
        options.max_age(kOverloadMaxAgeSeconds);
        return refuse(entry, request.token(), Code::service_unavailable, "too many requests wait", context_.last_now,
                      options);
    }
    Pending& pending = pending_[*slot];
    pending.token = request.token();
    pending.key = scan.key;
    pending.block1 = scan.block1;
    pending.block2 = scan.block2;
    entry.state = DedupState::pending_request;
    entry.set_number(*slot);
    ++context_.stats.requests_received;
    context_.visitor.on_request(peer, RequestView{request, payload}, RequestHandle{sequence});
}

bool Server::receive_block(const PeerId& peer, const MessageView& request, const RequestScan& scan, DedupEntry& entry,
                           SteadyTime now) {
    const Block1Receiver::Block block{*scan.block1, scan.size1, request.payload()};
    switch (block1_.on_block(peer, scan.key, block, now)) {
        case Block1Receiver::Outcome::complete:
            return true;
        case Block1Receiver::Outcome::gap:
            refuse(entry, request.token(), Code::request_entity_incomplete, "an earlier block is missing", now);
            return false;
        case Block1Receiver::Outcome::malformed:
            refuse(entry, request.token(), Code::bad_request, "a block is not as long as its option says", now);
            return false;
        case Block1Receiver::Outcome::too_large: {
            Options options;
            options.add_uint(OptionNumber::size1, context_.config.limits.block1_body_bytes);
            refuse(entry, request.token(), Code::request_entity_too_large, "the body is longer than Size1", now,
                   options);
            return false;
        }
        case Block1Receiver::Outcome::more:
            break;
    }
    Options options;
    const std::uint8_t szx = std::min(scan.block1->szx, context_.config.szx);
    options.add_block(OptionNumber::block1, {scan.block1->num, true, szx});
    send_reply(entry, request.token(), Code::continue_, options, {}, now);
    return false;
}

bool Server::respond(std::uint64_t sequence, const Response& response, SteadyTime now) {
    DedupEntry* entry = context_.dedup.at(sequence);
    if (entry == nullptr ||
        (entry->state != DedupState::pending_request && entry->state != DedupState::acknowledged_request)) {
        return false;
    }
    const Pending pending = release(static_cast<std::uint32_t>(entry->number()));
    if (response.payload.size() > context_.config.limits.response_body_bytes || !response.options.ok()) {
        refuse(*entry, pending.token, Code::internal_server_error, kAnswerTooLong, now);
        return false;
    }
    if (pending.block1 || pending.block2 || response.payload.size() > context_.block_size()) {
        respond_blockwise(*entry, pending, response, now);
        return true;
    }
    if (send_reply(*entry, pending.token, response.code, response.options, response.payload, now)) return true;
    refuse(*entry, pending.token, Code::internal_server_error, kAnswerTooLong, now);
    return false;
}

bool Server::send_reply(DedupEntry& entry, const Token& token, Code code, const Options& options, ByteView payload,
                        SteadyTime now) {
    const bool piggybacked = entry.confirmable && entry.state != DedupState::acknowledged_request;
    const Type type = piggybacked         ? Type::acknowledgement
                      : entry.confirmable ? Type::confirmable
                                          : Type::non_confirmable;
    std::array<std::uint8_t, kMaxDatagramOut> buffer;
    const ByteView datagram = encode(buffer, {type, code, entry.mid}, token, options, payload);
    if (datagram.empty()) return false;
    ++context_.stats.responses_sent;
    const PeerId peer = entry.peer();
    if (piggybacked) {
        remember_answer(entry, token, code, datagram, options.empty() && payload.empty());
        context_.transmit(peer, datagram);
        return true;
    }
    entry.state = entry.confirmable ? DedupState::acknowledged : DedupState::ignored;
    client_.send_response(peer, std::span(buffer).first(datagram.size()), entry.confirmable, now);
    return true;
}

void Server::refuse(DedupEntry& entry, const Token& token, Code code, std::string_view reason, SteadyTime now,
                    const Options& options) {
    send_reply(entry, token, code, options, as_bytes(reason), now);
    context_.visitor.on_refused(entry.peer(), code, reason);
}

void Server::refuse_option(DedupEntry& entry, const Token& token, OptionNumber number, SteadyTime now) {
    const auto digits = std::to_string(static_cast<std::uint16_t>(number));
    refuse(entry, token, Code::bad_option, "option " + digits + ": not known, too long or repeated", now);
}

void Server::remember_answer(DedupEntry& entry, const Token& token, Code code, ByteView datagram, bool plain) {
    entry.code = static_cast<std::uint8_t>(code);
    if (plain) {
        entry.state = DedupState::answered;
        entry.token_size = static_cast<std::uint8_t>(token.size());
        std::copy_n(token.bytes().begin(), token.size(), entry.data.begin());
        return;
    }
    const std::optional<ReplayCache::Place> place = replays_.add(datagram);
    entry.state = place ? DedupState::answered_cached : DedupState::ignored;
    entry.set_number(place.value_or(0));
}

void Server::on_duplicate(const DedupEntry& entry) {
    ++context_.stats.duplicates;
    switch (entry.state) {
        case DedupState::ignored:
        case DedupState::pending_request:
        case DedupState::pending_notification:
        case DedupState::forgotten:
            return;
        case DedupState::acknowledged_request:
        case DedupState::acknowledged:
            if (!entry.confirmable) return;
            ++context_.stats.replays;
            context_.send_empty(entry.peer(), Type::acknowledgement, entry.mid);
            return;
        case DedupState::rejected:
            context_.send_empty(entry.peer(), Type::reset, entry.mid);
            return;
        case DedupState::answered:
        case DedupState::answered_cached:
            replay(entry);
            return;
    }
}

void Server::replay(const DedupEntry& entry) {
    if (entry.state == DedupState::answered) {
        std::array<std::uint8_t, 4 + Token::kMaxSize> buffer;
        MessageWriter writer(buffer, {Type::acknowledgement, static_cast<Code>(entry.code), entry.mid},
                             Token(ByteView(entry.data).first(entry.token_size)));
        ++context_.stats.replays;
        context_.transmit(entry.peer(), writer.finish());
        return;
    }
    const std::optional<ByteView> answer = replays_.find(entry.number());
    if (!answer) {
        ++context_.stats.replays_lost;
        return;
    }
    ++context_.stats.replays;
    context_.transmit(entry.peer(), *answer);
}

std::optional<std::uint32_t> Server::allocate() {
    if (pending_count_ >= context_.config.limits.pending_requests) return std::nullopt;
    ++pending_count_;
    if (free_ == kNoSlot) {
        pending_.emplace_back();
        return static_cast<std::uint32_t>(pending_.size() - 1);
    }
    const std::uint32_t slot = free_;
    free_ = pending_[slot].next_free;
    return slot;
}

Server::Pending Server::release(std::uint32_t slot) {
    pending_[slot].next_free = free_;
    free_ = slot;
    --pending_count_;
    return pending_[slot];
}

void Server::forget_oldest() {
    DedupTable& dedup = context_.dedup;
    const DedupEntry& entry = *dedup.at(dedup.oldest());
    switch (entry.state) {
        case DedupState::pending_request:
        case DedupState::acknowledged_request:
            release(static_cast<std::uint32_t>(entry.number()));
            ++context_.stats.pending_evicted;
            break;
        case DedupState::pending_notification:
            ++context_.stats.pending_evicted;
            break;
        default:
            break;
    }
    dedup.pop_oldest();
}

DedupEntry* Server::first_unacknowledged() {
    DedupTable& dedup = context_.dedup;
    for (ack_cursor_ = std::max(ack_cursor_, dedup.oldest()); ack_cursor_ < dedup.next(); ++ack_cursor_) {
        DedupEntry* entry = dedup.at(ack_cursor_);
        if (entry->state == DedupState::pending_request && entry->confirmable) return entry;
    }
    return nullptr;
}

void Server::on_timer(SteadyTime now) {
    const Duration delay = context_.config.tx.separate_ack_delay();
    while (DedupEntry* entry = first_unacknowledged()) {
        if (context_.time_of(entry->arrived_ms) + delay > now) break;
        entry->state = DedupState::acknowledged_request;
        ++context_.stats.separate_acks_sent;
        context_.send_empty(entry->peer(), Type::acknowledgement, entry->mid);
    }
    block1_.expire(now);
    block2_.expire(now);
}

std::optional<SteadyTime> Server::next_timeout() {
    std::optional<SteadyTime> next = block1_.next_timeout();
    const auto consider = [&next](std::optional<SteadyTime> time) {
        if (time && (!next || *time < *next)) next = time;
    };
    consider(block2_.next_timeout());
    if (const DedupEntry* entry = first_unacknowledged()) {
        consider(context_.time_of(entry->arrived_ms) + context_.config.tx.separate_ack_delay());
    }
    return next;
}

}  // namespace lanyard::coap
