#include <algorithm>

#include "endpoint_fixture.hpp"

namespace lanyard::coap {
namespace {

// Endpoints with blocks of 16 bytes, so that the datagrams can be read.
class Blockwise : public EndpointTest {
  protected:
    void SetUp() override {
        config_ = config_with_seed(1);
        config_.szx = 0;
        use(config_);
    }
    // The one datagram sent since the last call.
    MessageView sent() {
        EXPECT_EQ(seen_.sent.size(), 1U);
        last_ = seen_.sent.empty() ? Bytes() : seen_.sent.back();
        seen_.sent.clear();
        return last_.empty() ? MessageView() : view_of(last_);
    }
    // A piggybacked answer to what was sent last.
    void answer(Code code, const Options& options, std::string_view payload = {}) {
        const MessageView request = view_of(last_);
        Bytes buffer(2048);
        const ByteView datagram =
            encode(buffer, {Type::acknowledgement, code, request.mid()}, request.token(), options, as_bytes(payload));
        endpoint_->on_datagram(kPeer, datagram, now_);
    }
    // A request from the peer.
    void request(Code code, const Options& options, std::string_view payload = {}, Token token = {}) {
        Bytes buffer(2048);
        const ByteView datagram =
            encode(buffer, {Type::confirmable, code, next_mid_++}, token, options, as_bytes(payload));
        endpoint_->on_datagram(kPeer, datagram, now_);
    }
    static Options block(OptionNumber number, std::uint32_t num, bool more, std::uint8_t szx = 0) {
        Options options;
        options.add_block(number, {num, more, szx});
        return options;
    }
    SendStatus put(std::string_view body) {
        Request request;
        request.method = Code::put;
        request.options.path("5/0/0").content_format(42);
        request.payload = as_bytes(body);
        return endpoint_->send_request(kPeer, request, 1, now_);
    }

    EndpointConfig config_;
    Bytes last_;
    std::uint16_t next_mid_ = 1;
    const std::string body_ = "0123456789abcdefghijklmnopqrstuvwxyzABCD";  // 40 bytes: 16, 16, 8
};

TEST_F(Blockwise, ReceivesARequestBody) {
    Options options = block(OptionNumber::block1, 0, true).path("rd");
    request(Code::post, options, body_.substr(0, 16));
    EXPECT_EQ(sent().code(), Code::continue_);
    EXPECT_EQ(view_of(last_).find_block(OptionNumber::block1), (BlockOption{0, true, 0}));
    request(Code::post, block(OptionNumber::block1, 1, true).path("rd"), body_.substr(16, 16));
    EXPECT_EQ(sent().code(), Code::continue_);
    EXPECT_TRUE(seen_.requests.empty());
    request(Code::post, block(OptionNumber::block1, 2, false).path("rd"), body_.substr(32));
    ASSERT_EQ(seen_.requests.size(), 1U);
    EXPECT_EQ(lanyard::to_string(seen_.requests[0].payload), body_);
    respond(seen_.requests[0].handle, Code::created);
    EXPECT_EQ(sent().code(), Code::created);
    EXPECT_EQ(view_of(last_).find_block(OptionNumber::block1), (BlockOption{2, false, 0}));
}

TEST_F(Blockwise, AsksForSmallerRequestBlocks) {
    request(Code::post, block(OptionNumber::block1, 0, true, 2).path("rd"), std::string(64, 'a'));
    EXPECT_EQ(sent().find_block(OptionNumber::block1), (BlockOption{0, true, 0}));
    request(Code::post, block(OptionNumber::block1, 4, false, 0).path("rd"), "end");
    ASSERT_EQ(seen_.requests.size(), 1U);
    EXPECT_EQ(seen_.requests[0].payload.size(), 67U);
}

TEST_F(Blockwise, RefusesRequestBodiesWithGaps) {
    request(Code::post, block(OptionNumber::block1, 3, true).path("rd"), body_.substr(0, 16));
    const MessageView reply = sent();
    EXPECT_EQ(reply.code(), Code::request_entity_incomplete);
    EXPECT_EQ(as_text(reply.payload()), "an earlier block is missing");
    EXPECT_EQ(seen_.refused.size(), 1U);
}

TEST_F(Blockwise, RefusesRequestBodiesThatAreTooLarge) {
    config_.limits.block1_body_bytes = 32;
    use(config_);
    for (std::uint32_t num = 0; num < 3; ++num) {
        request(Code::post, block(OptionNumber::block1, num, true).path("rd"), body_.substr(0, 16));
        const MessageView reply = sent();
        EXPECT_EQ(reply.code(), num < 2 ? Code::continue_ : Code::request_entity_too_large);
        if (num == 2) {
            EXPECT_EQ(reply.find_uint(OptionNumber::size1), 32U);
            EXPECT_EQ(as_text(reply.payload()), "the body is longer than Size1");
        }
    }
    request(Code::post, block(OptionNumber::block1, 0, true).path("rd").add_uint(OptionNumber::size1, 33),
            body_.substr(0, 16));
    EXPECT_EQ(sent().code(), Code::request_entity_too_large);
}

TEST_F(Blockwise, RefusesReservedBlockSizes) {
    request(Code::post, block(OptionNumber::block1, 0, true, 7).path("rd"), body_.substr(0, 16));
    EXPECT_EQ(sent().code(), Code::bad_request);
}

TEST_F(Blockwise, DoesNotMixBodiesWithDifferentRequestTags) {
    const auto tagged = [](std::uint32_t num, bool more, std::string_view tag) {
        return block(OptionNumber::block1, num, more).path("rd").add(OptionNumber::request_tag, tag);
    };
    request(Code::post, tagged(0, true, "a"), body_.substr(0, 16));
    request(Code::post, tagged(1, false, "b"), body_.substr(16, 8));
    ASSERT_EQ(seen_.sent.size(), 2U);
    EXPECT_EQ(view_of(seen_.sent[1]).code(), Code::request_entity_incomplete);
    request(Code::post, tagged(1, false, "a"), body_.substr(16, 8));
    EXPECT_EQ(seen_.requests.size(), 1U);
}

TEST_F(Blockwise, SendsARequestBody) {
    ASSERT_EQ(put(body_), SendStatus::ok);
    std::string received;
    for (std::uint32_t num = 0; num < 3; ++num) {
        const MessageView view = sent();
        EXPECT_EQ(view.path(), "/5/0/0");
        EXPECT_EQ(view.content_format(), 42);
        EXPECT_EQ(view.find_block(OptionNumber::block1), (BlockOption{num, num < 2, 0}));
        EXPECT_EQ(view.find_uint(OptionNumber::size1).has_value(), num == 0);
        received += as_text(view.payload());
        answer(num < 2 ? Code::continue_ : Code::changed, block(OptionNumber::block1, num, num < 2));
    }
    EXPECT_EQ(received, body_);
    ASSERT_EQ(seen_.responses.size(), 1U);
    EXPECT_EQ(seen_.responses[0].code, Code::changed);
}

TEST_F(Blockwise, SendsARequestBodyInTheSizeThatThePeerWants) {
    config_.szx = 6;
    use(config_);
    ASSERT_EQ(put(std::string(1500, 'a')), SendStatus::ok);
    EXPECT_EQ(sent().find_block(OptionNumber::block1), (BlockOption{0, true, 6}));
    answer(Code::continue_, block(OptionNumber::block1, 0, true, 5));
    EXPECT_EQ(sent().find_block(OptionNumber::block1), (BlockOption{2, false, 5}));
    answer(Code::changed, {});
    EXPECT_EQ(seen_.responses.size(), 1U);
}

TEST_F(Blockwise, SendsABodyInBlocksWhenItIsTooLargeInOnePiece) {
    config_.szx = 6;
    use(config_);
    ASSERT_EQ(put(std::string(100, 'a')), SendStatus::ok);
    EXPECT_EQ(sent().find_block(OptionNumber::block1), std::nullopt);
    answer(Code::request_entity_too_large, block(OptionNumber::block1, 0, false, 2));
    EXPECT_EQ(sent().find_block(OptionNumber::block1), (BlockOption{0, true, 2}));
    answer(Code::continue_, block(OptionNumber::block1, 0, true, 2));
    EXPECT_EQ(sent().find_block(OptionNumber::block1), (BlockOption{1, false, 2}));
    answer(Code::request_entity_too_large, {});
    ASSERT_EQ(seen_.responses.size(), 1U);
    EXPECT_EQ(seen_.responses[0].code, Code::request_entity_too_large);
}

TEST_F(Blockwise, StartsABodyAgainOnceAfterIncomplete) {
    ASSERT_EQ(put(body_), SendStatus::ok);
    sent();
    answer(Code::continue_, block(OptionNumber::block1, 0, true));
    sent();
    answer(Code::request_entity_incomplete, {});
    EXPECT_EQ(sent().find_block(OptionNumber::block1), (BlockOption{0, true, 0}));
    answer(Code::continue_, block(OptionNumber::block1, 0, true));
    sent();
    answer(Code::request_entity_incomplete, {});
    ASSERT_EQ(seen_.responses.size(), 1U);
    EXPECT_EQ(seen_.responses[0].code, Code::request_entity_incomplete);
}

TEST_F(Blockwise, ReceivesAResponseBodyAndKeepsTheObservation) {
    Request observe;
    observe.options.path("3/0").observe(0).accept(112);
    observe.token = Token::from_u64(5);
    ASSERT_EQ(endpoint_->send_request(kPeer, observe, 1, now_), SendStatus::ok);
    sent();
    Options first = block(OptionNumber::block2, 0, true);
    first.add(OptionNumber::etag, "e").observe(9);
    answer(Code::content, first, body_.substr(0, 16));
    const MessageView next = sent();
    EXPECT_EQ(next.find_block(OptionNumber::block2), (BlockOption{1, false, 0}));
    EXPECT_EQ(next.observe(), std::nullopt);
    EXPECT_EQ(next.accept(), 112);
    EXPECT_EQ(next.path(), "/3/0");
    EXPECT_NE(next.token(), Token::from_u64(5));
    answer(Code::content, block(OptionNumber::block2, 1, true).add(OptionNumber::etag, "e"), body_.substr(16, 16));
    sent();
    answer(Code::content, block(OptionNumber::block2, 2, false).add(OptionNumber::etag, "e"), body_.substr(32));
    ASSERT_EQ(seen_.responses.size(), 1U);
    EXPECT_EQ(seen_.responses[0].payload, body_);
    EXPECT_EQ(seen_.responses[0].observe, 9U);
}

TEST_F(Blockwise, FetchesABodyAgainWhenItChanges) {
    ASSERT_EQ(get("3/0", 1), SendStatus::ok);
    sent();
    answer(Code::content, block(OptionNumber::block2, 0, true).add(OptionNumber::etag, "1"), body_.substr(0, 16));
    sent();
    answer(Code::content, block(OptionNumber::block2, 1, true).add(OptionNumber::etag, "2"), "BBBBBBBBBBBBBBBB");
    EXPECT_EQ(sent().find_block(OptionNumber::block2), (BlockOption{0, false, 0}));
    answer(Code::content, block(OptionNumber::block2, 0, true).add(OptionNumber::etag, "2"), "AAAAAAAAAAAAAAAA");
    sent();
    answer(Code::content, block(OptionNumber::block2, 1, false).add(OptionNumber::etag, "2"), "BB");
    ASSERT_EQ(seen_.responses.size(), 1U);
    EXPECT_EQ(seen_.responses[0].payload, "AAAAAAAAAAAAAAAABB");
    EXPECT_EQ(stats().block2_restarts, 1U);
}

TEST_F(Blockwise, GivesUpBodiesThatAreTooLargeOrBroken) {
    config_.limits.block2_body_bytes = 20;
    use(config_);
    ASSERT_EQ(get("3/0", 1), SendStatus::ok);
    sent();
    answer(Code::content, block(OptionNumber::block2, 0, true), body_.substr(0, 16));
    sent();
    answer(Code::content, block(OptionNumber::block2, 1, true), body_.substr(16, 16));
    ASSERT_EQ(get("3/0", 2), SendStatus::ok);
    sent();
    answer(Code::content, block(OptionNumber::block2, 0, true), "short");
    ASSERT_EQ(get("3/0", 3), SendStatus::ok);
    sent();
    answer(Code::content, block(OptionNumber::block2, 0, true).add_uint(OptionNumber::size2, 21), body_.substr(0, 16));
    ASSERT_EQ(seen_.failures.size(), 3U);
    EXPECT_EQ(seen_.failures[0].reason, FailureReason::too_large);
    EXPECT_EQ(seen_.failures[1].reason, FailureReason::block_transfer);
    EXPECT_EQ(seen_.failures[2].reason, FailureReason::too_large);
    EXPECT_EQ(endpoint_->exchanges_in_progress(), 0U);
}

TEST_F(Blockwise, ReportsAnErrorInTheMiddleOfABody) {
    ASSERT_EQ(get("3/0", 1), SendStatus::ok);
    sent();
    answer(Code::content, block(OptionNumber::block2, 0, true), body_.substr(0, 16));
    sent();
    answer(Code::not_found, {});
    ASSERT_EQ(seen_.responses.size(), 1U);
    EXPECT_EQ(seen_.responses[0].code, Code::not_found);
    EXPECT_EQ(seen_.responses[0].payload, "");
}

TEST_F(Blockwise, FetchesTheRestOfANotification) {
    Options options = block(OptionNumber::block2, 0, true);
    options.add(OptionNumber::etag, "e").observe(12);
    Bytes buffer(200);
    const ByteView datagram = encode(buffer, {Type::confirmable, Code::content, 0x77}, Token::from_u64(5), options,
                                     as_bytes(body_).first(16));
    endpoint_->on_datagram(kPeer, datagram, now_);
    ASSERT_EQ(seen_.notifications.size(), 1U);
    const SeenNotification& notification = seen_.notifications[0];
    ASSERT_TRUE(notification.block2 && notification.block2->more);
    seen_.sent.clear();
    const PartialBody partial{as_bytes(notification.payload), notification.etag, notification.block2->szx};
    Request rest;
    rest.options.path("3/0");
    rest.resume = &partial;
    ASSERT_EQ(endpoint_->send_request(kPeer, rest, 1, now_), SendStatus::ok);
    EXPECT_EQ(sent().find_block(OptionNumber::block2), (BlockOption{1, false, 0}));
    answer(Code::content, block(OptionNumber::block2, 1, false).add(OptionNumber::etag, "e"), "XYZ");
    ASSERT_EQ(seen_.responses.size(), 1U);
    EXPECT_EQ(seen_.responses[0].payload, body_.substr(0, 16) + "XYZ");
}

TEST_F(Blockwise, SendsAResponseBodyFromItsCache) {
    request(Code::get, Options().path("big"));
    respond(seen_.requests[0].handle, Code::content, body_);
    MessageView view = sent();
    EXPECT_EQ(view.find_block(OptionNumber::block2), (BlockOption{0, true, 0}));
    EXPECT_EQ(view.find_uint(OptionNumber::size2), 40U);
    const Bytes etag(view.find(OptionNumber::etag)->begin(), view.find(OptionNumber::etag)->end());
    std::string received(as_text(view.payload()));
    for (std::uint32_t num = 1; num < 3; ++num) {
        request(Code::get, block(OptionNumber::block2, num, false).path("big"));
        view = sent();
        EXPECT_EQ(view.find_block(OptionNumber::block2), (BlockOption{num, num < 2, 0}));
        EXPECT_TRUE(std::ranges::equal(*view.find(OptionNumber::etag), etag));
        received += as_text(view.payload());
    }
    EXPECT_EQ(received, body_);
    EXPECT_EQ(seen_.requests.size(), 1U);
    EXPECT_EQ(stats().block2_served, 2U);
    request(Code::get, block(OptionNumber::block2, 3, false).path("big"));
    EXPECT_EQ(sent().code(), Code::bad_request);
}

TEST_F(Blockwise, AsksTheApplicationAgainForABodyThatIsNotKept) {
    request(Code::get, block(OptionNumber::block2, 2, false).path("big"));
    ASSERT_EQ(seen_.requests.size(), 1U);
    respond(seen_.requests[0].handle, Code::content, body_);
    const MessageView view = sent();
    EXPECT_EQ(view.find_block(OptionNumber::block2), (BlockOption{2, false, 0}));
    EXPECT_EQ(as_text(view.payload()), body_.substr(32));
}

TEST_F(Blockwise, SendsBlocksInTheSizeThatThePeerAsksFor) {
    config_.szx = 6;
    use(config_);
    request(Code::get, block(OptionNumber::block2, 0, false, 0).path("big"));
    respond(seen_.requests[0].handle, Code::content, body_);
    EXPECT_EQ(sent().find_block(OptionNumber::block2), (BlockOption{0, true, 0}));
    request(Code::get, block(OptionNumber::block2, 1, false, 1).path("big"));
    EXPECT_EQ(as_text(sent().payload()), body_.substr(32));
}

TEST_F(Blockwise, AnswersABodyWithABody) {
    request(Code::post, block(OptionNumber::block1, 0, true).path("x"), body_.substr(0, 16));
    sent();
    request(Code::post, block(OptionNumber::block1, 1, false).path("x"), "end");
    respond(seen_.requests[0].handle, Code::changed, body_);
    const MessageView view = sent();
    EXPECT_EQ(view.find_block(OptionNumber::block1), (BlockOption{1, false, 0}));
    EXPECT_EQ(view.find_block(OptionNumber::block2), (BlockOption{0, true, 0}));
}

TEST_F(Blockwise, RefusesResponsesBeyondTheLimit) {
    config_.limits.response_body_bytes = 8;
    use(config_);
    request(Code::get, Options().path("big"));
    EXPECT_FALSE(respond(seen_.requests[0].handle, Code::content, body_));
    EXPECT_EQ(sent().code(), Code::internal_server_error);
}

TEST_F(Blockwise, CutsNotificationsToOneBlock) {
    Notification notification;
    notification.options.observe(1);
    notification.payload = as_bytes(body_);
    ASSERT_EQ(endpoint_->send_notification(kPeer, notification, 1, now_), SendStatus::ok);
    const MessageView view = sent();
    EXPECT_EQ(view.type(), Type::non_confirmable);
    EXPECT_EQ(view.find_block(OptionNumber::block2), (BlockOption{0, true, 0}));
    EXPECT_TRUE(view.find(OptionNumber::etag).has_value());
    EXPECT_EQ(view.payload().size(), 16U);
}

}  // namespace
}  // namespace lanyard::coap
