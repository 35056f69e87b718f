#include <algorithm>

#include "base/assert.hpp"
#include "client.hpp"

// Block-wise transfers of our requests: Block1 for the body out, Block2 for the body in.
namespace lanyard::coap {
namespace {

MessageView decode_own(ByteView message) {
    MessageView view;
    const DecodeError error = view.decode(message);
    LANYARD_ASSERT(error == DecodeError::none);
    return view;
}

// The options of the request that go into every block of its body, RFC 7959 section 2.5.
Options upload_options(const MessageView& request) {
    Options options;
    for (const OptionView& option : request.options()) options.add(option.number, option.value);
    return options;
}

// The options for fetching more blocks of the answer, RFC 7959 sections 2.4 and 2.6: the same resource and format,
// without Observe and the conditions that were settled by the first block.
Options download_options(const MessageView& request) {
    Options options;
    for (const OptionView& option : request.options()) {
        if (option.number == OptionNumber::observe || option.number == OptionNumber::etag ||
            option.number == OptionNumber::if_match || option.number == OptionNumber::if_none_match) {
            continue;
        }
        if (option.number == OptionNumber::content_format && request.code() != Code::fetch) continue;
        options.add(option.number, option.value);
    }
    return options;
}

}  // namespace

// The transfer of an exchange, made of its whole request if there is none yet.
Transfer& Client::transfer_of(Exchange& exchange) {
    if (exchange.transfer == nullptr) {
        exchange.transfer = std::make_unique<Transfer>();
        exchange.transfer->request = exchange.wire;
        const std::size_t payload_size = decode_own(exchange.transfer->request).payload().size();
        exchange.transfer->up = Block1Sender(payload_size, context_.config.szx);
        exchange.transfer->down = Block2Receiver({}, {}, context_.config.szx);
    }
    return *exchange.transfer;
}

bool Client::build_upload(Exchange& exchange) {
    const MessageView request = decode_own(exchange.transfer->request);
    const Block1Sender& up = exchange.transfer->up;
    if (up.block().num > kMaxBlockNum) return false;
    Options options = upload_options(request);
    if (!up.is_single()) options.add_block(OptionNumber::block1, up.block());
    if (!up.is_single() && up.offset() == 0) options.add_uint(OptionNumber::size1, request.payload().size());
    std::array<std::uint8_t, kMaxDatagramOut> buffer;
    const ByteView datagram = encode(buffer, {request.type(), request.code(), 0}, exchange.token, options,
                                     request.payload().subspan(up.offset(), up.size()));
    exchange.wire.assign(datagram.begin(), datagram.end());
    return !datagram.empty();
}

bool Client::build_download(Exchange& exchange) {
    const MessageView request = decode_own(exchange.transfer->request);
    Options options = download_options(request);
    options.add_block(OptionNumber::block2, exchange.transfer->down.next());
    // A FETCH is nothing without its body (RFC 8132 section 2); other methods have done their work.
    const bool repeats_body = request.code() == Code::fetch && request.payload().size() <= context_.block_size();
    // A token of its own keeps the block apart from notifications, RFC 7959 section 3.4.
    exchange.token = Token::from_u64(context_.random.next());
    std::array<std::uint8_t, kMaxDatagramOut> buffer;
    const ByteView datagram = encode(buffer, {request.type(), request.code(), 0}, exchange.token, options,
                                     repeats_body ? request.payload() : ByteView());
    exchange.wire.assign(datagram.begin(), datagram.end());
    return !datagram.empty();
}

bool Client::advance_upload(Index at, const MessageView& response, SteadyTime now) {
    Exchange& exchange = exchanges_[at];
    if (exchange.transfer != nullptr && exchange.transfer->downloading) return false;
    const std::optional<BlockOption> answer = response.find_block(OptionNumber::block1);
    if (exchange.transfer == nullptr) {
        // A request in one piece that the peer wants in smaller ones, RFC 7959 section 2.9.3.
        if (response.code() != Code::request_entity_too_large || !answer) return false;
        static_cast<void>(transfer_of(exchange));
    }
    switch (exchange.transfer->up.on_answer(response.code(), answer)) {
        case Block1Sender::Step::done:
            return false;
        case Block1Sender::Step::broken:
            fail(at, FailureReason::block_transfer, now);
            return true;
        case Block1Sender::Step::send:
            break;
    }
    if (build_upload(exchange)) {
        transmit_first(at, now);
    } else {
        fail(at, FailureReason::too_large, now);
    }
    return true;
}

bool Client::advance_download(Index at, const MessageView& response, SteadyTime now) {
    Exchange& exchange = exchanges_[at];
    const std::optional<BlockOption> block = response.find_block(OptionNumber::block2);
    const bool downloading = exchange.transfer != nullptr && exchange.transfer->downloading;
    if (!block || !(block->more || downloading)) return false;
    Transfer& transfer = transfer_of(exchange);
    if (!downloading) {
        transfer.downloading = true;
        transfer.observe = response.observe();
    }
    const std::size_t limit = context_.config.limits.block2_body_bytes;
    const ByteView etag = response.find(OptionNumber::etag).value_or(ByteView());
    Block2Receiver::Step step = transfer.down.on_block(*block, etag, response.payload(), limit);
    if (response.find_uint(OptionNumber::size2).value_or(0) > limit) step = Block2Receiver::Step::too_large;
    if (!count_bytes(transfer)) step = Block2Receiver::Step::too_large;
    switch (step) {
        case Block2Receiver::Step::complete:
            return false;
        case Block2Receiver::Step::too_large:
            fail(at, FailureReason::too_large, now);
            return true;
        case Block2Receiver::Step::broken:
            fail(at, FailureReason::block_transfer, now);
            return true;
        case Block2Receiver::Step::restart:
            ++context_.stats.block2_restarts;
            break;
        case Block2Receiver::Step::fetch:
            break;
    }
    if (build_download(exchange)) {
        transmit_first(at, now);
    } else {
        fail(at, FailureReason::too_large, now);
    }
    return true;
}

// Keeps the endpoint's total of bodies being received; false if it is exceeded.
bool Client::count_bytes(Transfer& transfer) {
    download_bytes_ = download_bytes_ - transfer.counted_bytes + transfer.down.body().size();
    transfer.counted_bytes = transfer.down.body().size();
    return download_bytes_ <= context_.config.limits.block2_total_bytes;
}

}  // namespace lanyard::coap
