#include <algorithm>

#include "etag.hpp"
#include "server.hpp"

// Responses that are longer than one block, RFC 7959 section 2.4.
namespace lanyard::coap {

void Server::respond_blockwise(DedupEntry& entry, const Pending& pending, const Response& response, SteadyTime now) {
    Options options = response.options;
    if (response.payload.size() > context_.block_size() || pending.block2) {
        if (!response.payload.empty()) {
            const std::uint8_t szx = std::min(pending.block2.value_or(BlockOption{}).szx, context_.config.szx);
            const std::size_t first_block = std::size_t{1} << (szx + 4);
            if (response.payload.size() > first_block) {
                add_etag(options, response.payload);
                keep_body(entry.peer(), pending.key, response.code, options, response.payload, now);
            }
        }
        send_block(entry, pending, response.code, options, response.payload, now);
        return;
    }
    if (pending.block1) options.add_block(OptionNumber::block1, {pending.block1->num, false, pending.block1->szx});
    if (!send_reply(entry, pending.token, response.code, options, response.payload, now)) {
        refuse(entry, pending.token, Code::internal_server_error, kAnswerTooLong, now);
    }
}

void Server::keep_body(const PeerId& peer, std::uint64_t key, Code code, const Options& options, ByteView body,
                       SteadyTime now) {
    Options kept = options;
    kept.remove(OptionNumber::observe);  // RFC 7959 section 2.6: not in the later blocks
    std::array<std::uint8_t, kMaxDatagramOut> buffer;
    const ByteView head = encode(buffer, {Type::acknowledgement, code, 0}, {}, kept);
    if (!head.empty()) block2_.put(peer, key, head, body, now);
}

bool Server::serve_cached(const PeerId& peer, const Pending& asked, DedupEntry& entry, SteadyTime now) {
    const Block2Cache::Body* body = block2_.find(peer, asked.key, now);
    MessageView head;
    if (body == nullptr || head.decode(body->head) != DecodeError::none) return false;
    Options options;
    for (const OptionView& option : head.options()) options.add(option.number, option.value);
    ++context_.stats.block2_served;
    send_block(entry, asked, head.code(), options, body->payload, now);
    return true;
}

void Server::send_block(DedupEntry& entry, const Pending& pending, Code code, Options& options, ByteView body,
                        SteadyTime now) {
    const BlockOption asked = pending.block2.value_or(BlockOption{0, false, context_.config.szx});
    const std::uint8_t szx = std::min(asked.szx, context_.config.szx);
    const std::size_t offset = asked.offset();
    if (offset != 0 && offset >= body.size()) {
        refuse(entry, pending.token, Code::bad_request, "a block beyond the end of the body", now);
        return;
    }
    const std::size_t size = std::min(body.size() - offset, std::size_t{1} << (szx + 4));
    const bool more = offset + size < body.size();
    options.add_block(OptionNumber::block2, {static_cast<std::uint32_t>(offset >> (szx + 4)), more, szx});
    if (offset == 0 && more) options.add_uint(OptionNumber::size2, body.size());
    if (pending.block1) options.add_block(OptionNumber::block1, {pending.block1->num, false, pending.block1->szx});
    if (!send_reply(entry, pending.token, code, options, body.subspan(offset, size), now)) {
        refuse(entry, pending.token, Code::internal_server_error, kAnswerTooLong, now);
    }
}

}  // namespace lanyard::coap
