#include "endpoint_fixture.hpp"

namespace lanyard::coap {
namespace {

class CoapClient : public EndpointTest {
  protected:
    // Sends GET /3/0 and returns its message id.
    std::string started(std::uint64_t cookie) {
        EXPECT_EQ(get("/3/0", cookie), SendStatus::ok);
        const Sent sent = seen_.take_sent();
        EXPECT_EQ(sent.size(), 1U);
        EXPECT_EQ(sent[0].substr(0, 4), "4801");
        EXPECT_EQ(sent[0].substr(8), token_hex(cookie) + "b1330130");
        return mid_of(sent[0]);
    }
};

TEST_F(CoapClient, TakesAPiggybackedAnswer) {
    const std::string mid = started(7);
    receive("6845" + mid + token_hex(7) + "ff6869");
    ASSERT_EQ(seen_.responses.size(), 1U);
    EXPECT_EQ(seen_.responses[0].cookie, 7U);
    EXPECT_EQ(seen_.responses[0].payload, "hi");
    EXPECT_EQ(endpoint_->exchanges_in_progress(), 0U);
    receive("6845" + mid + token_hex(7) + "ff6869");
    EXPECT_EQ(seen_.responses.size(), 1U);
}

TEST_F(CoapClient, WantsMessageIdAndTokenOfAPiggybackedAnswerToMatch) {
    const std::string mid = started(7);
    receive("6845" + mid + token_hex(8) + "ff6869");
    receive("6845ffff" + token_hex(7) + "ff6869");
    receive("6845" + mid + token_hex(7) + "ff6869", kOther);
    EXPECT_TRUE(seen_.responses.empty());
    EXPECT_EQ(stats().unmatched, 3U);
}

TEST_F(CoapClient, TakesASeparateConfirmableAnswerOnce) {
    const std::string mid = started(7);
    receive("6000" + mid);
    pass(seconds(20));
    EXPECT_TRUE(seen_.sent.empty());  // acknowledged: no retransmission
    const std::string answer = "4845abcd" + token_hex(7) + "ff6869";
    receive(answer);
    EXPECT_EQ(seen_.take_sent(), Sent{"6000abcd"});
    receive(answer);
    EXPECT_EQ(seen_.take_sent(), Sent{"6000abcd"});
    EXPECT_EQ(seen_.responses.size(), 1U);
}

TEST_F(CoapClient, TakesASeparateNonAnswer) {
    const std::string mid = started(7);
    receive("6000" + mid);
    receive("5845abcd" + token_hex(7) + "ff6869");
    EXPECT_EQ(seen_.responses.size(), 1U);
    EXPECT_TRUE(seen_.sent.empty());
}

TEST_F(CoapClient, TakesASeparateAnswerThatOvertakesItsAck) {
    const std::string mid = started(7);
    receive("4845abcd" + token_hex(7));
    EXPECT_EQ(seen_.responses.size(), 1U);
    EXPECT_EQ(seen_.take_sent(), Sent{"6000abcd"});
    receive("6000" + mid);
    pass(seconds(100));
    EXPECT_TRUE(seen_.sent.empty());
}

// RFC 7252 section 4.8.2: at most 45 s from the first to the last transmission, given up within 93 s.
TEST_F(CoapClient, RetransmitsFourTimesWithDoublingTimeouts) {
    for (std::uint64_t seed = 1; seed < 20; ++seed) {
        seen_ = {};
        use(config_with_seed(seed));
        const SteadyTime start = now_.steady;
        ASSERT_EQ(get("/3/0", 1), SendStatus::ok);
        std::vector<Duration> gaps;
        SteadyTime last = start;
        while (seen_.failures.empty()) {
            const std::size_t before = seen_.sent.size();
            pass(milliseconds(10));
            if (seen_.sent.size() == before) continue;
            gaps.push_back(now_.steady - last);
            last = now_.steady;
        }
        ASSERT_EQ(gaps.size(), 4U);
        EXPECT_GE(gaps[0], seconds(2));
        EXPECT_LE(gaps[0], milliseconds(3020));
        for (std::size_t i = 1; i < 4; ++i) {
            EXPECT_GE(gaps[i], gaps[i - 1] * 2 - milliseconds(30));
            EXPECT_LE(gaps[i], gaps[i - 1] * 2 + milliseconds(30));
        }
        EXPECT_LE(last - start, milliseconds(45100));
        EXPECT_GE(now_.steady - start, seconds(62));
        EXPECT_LE(now_.steady - start, milliseconds(93100));
        EXPECT_EQ(seen_.failures[0].reason, FailureReason::unacknowledged);
        for (const Bytes& datagram : seen_.sent) EXPECT_EQ(datagram, seen_.sent[0]);
    }
}

TEST_F(CoapClient, FailsAtItsDeadline) {
    Request request;
    request.deadline = now_.steady + seconds(5);
    ASSERT_EQ(endpoint_->send_request(kPeer, request, 1, now_), SendStatus::ok);
    request.deadline = now_.steady + seconds(4);
    ASSERT_EQ(endpoint_->send_request(kPeer, request, 2, now_), SendStatus::ok);  // waits in the queue
    pass(milliseconds(4001));
    ASSERT_EQ(seen_.failures.size(), 1U);
    EXPECT_EQ(seen_.failures[0].cookie, 2U);
    pass(seconds(1));
    ASSERT_EQ(seen_.failures.size(), 2U);
    EXPECT_EQ(seen_.failures[1].reason, FailureReason::timeout);
    EXPECT_EQ(endpoint_->send_request(kPeer, request, 3, now_), SendStatus::deadline_passed);
}

TEST_F(CoapClient, FailsWhenAnAcknowledgedRequestIsNeverAnswered) {
    receive("6000" + started(7));
    pass(seconds(246));
    EXPECT_TRUE(seen_.failures.empty());
    pass(seconds(2));
    ASSERT_EQ(seen_.failures.size(), 1U);
    EXPECT_EQ(seen_.failures[0].reason, FailureReason::timeout);
}

TEST_F(CoapClient, FailsOnReset) {
    receive("7000" + started(7));
    ASSERT_EQ(seen_.failures.size(), 1U);
    EXPECT_EQ(seen_.failures[0].reason, FailureReason::reset);
}

TEST_F(CoapClient, TellsOfResetsToMessagesThatAreNotKept) {
    receive("70001234");
    EXPECT_EQ(seen_.resets, std::vector<std::uint16_t>{0x1234});
}

TEST_F(CoapClient, SendsOneRequestAtATimeToAPeerInOrder) {
    const std::string first = started(1);
    EXPECT_EQ(get("/1", 2), SendStatus::ok);
    EXPECT_EQ(get("/1", 3), SendStatus::ok);
    EXPECT_TRUE(seen_.sent.empty());
    EXPECT_EQ(get("/1", 4, kOther), SendStatus::ok);
    EXPECT_EQ(seen_.take_sent().size(), 1U);  // another peer does not wait
    receive("6845" + first + token_hex(1));
    Sent sent = seen_.take_sent();
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent[0].substr(8, 16), token_hex(2));
    receive("6000" + mid_of(sent[0]));
    EXPECT_TRUE(seen_.sent.empty());  // acknowledged, but still unanswered
    receive("5845abcd" + token_hex(2));
    sent = seen_.take_sent();
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent[0].substr(8, 16), token_hex(3));
}

TEST_F(CoapClient, BoundsTheQueueOfAPeer) {
    EndpointConfig config = config_with_seed(1);
    config.limits.exchanges_per_peer = 3;
    config.limits.exchanges = 5;
    use(config);
    for (std::uint64_t cookie = 1; cookie <= 3; ++cookie) EXPECT_EQ(get("/1", cookie), SendStatus::ok);
    EXPECT_EQ(get("/1", 4), SendStatus::queue_full);
    EXPECT_EQ(get("/1", 5, kOther), SendStatus::ok);
    EXPECT_EQ(get("/1", 6, kOther), SendStatus::ok);
    EXPECT_EQ(get("/1", 7, kOther), SendStatus::overloaded);
    EXPECT_EQ(stats().queue_full, 1U);
}

TEST_F(CoapClient, RefusesCookiesAndTokensInUse) {
    EXPECT_EQ(get("/1", 1), SendStatus::ok);
    EXPECT_EQ(get("/1", 1, kOther), SendStatus::duplicate_cookie);
    Request request;
    request.token = Token::from_u64(1);
    EXPECT_EQ(endpoint_->send_request(kPeer, request, 2, now_), SendStatus::token_in_use);
    EXPECT_EQ(endpoint_->send_request(kOther, request, 2, now_), SendStatus::ok);
}

TEST_F(CoapClient, CancelsOutstandingAndQueuedRequests) {
    started(1);
    EXPECT_EQ(get("/1", 2), SendStatus::ok);
    EXPECT_EQ(get("/1", 3), SendStatus::ok);
    EXPECT_TRUE(endpoint_->cancel(2, now_));
    EXPECT_FALSE(endpoint_->cancel(2, now_));
    EXPECT_TRUE(endpoint_->cancel(1, now_));
    const Sent sent = seen_.take_sent();
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent[0].substr(8, 16), token_hex(3));
    endpoint_->cancel_peer(kPeer, now_);
    ASSERT_EQ(seen_.failures.size(), 3U);
    for (const SeenFailure& failure : seen_.failures) EXPECT_EQ(failure.reason, FailureReason::cancelled);
    EXPECT_EQ(endpoint_->exchanges_in_progress(), 0U);
    pass(seconds(300));
    EXPECT_TRUE(seen_.sent.empty());
}

TEST_F(CoapClient, FollowsAPeerToItsNewAddress) {
    const std::string mid = started(1);
    EXPECT_EQ(get("/1", 2), SendStatus::ok);
    endpoint_->rebind_peer(kPeer, kOther, now_);
    pass(seconds(4));
    ASSERT_EQ(seen_.sent_to, std::vector<PeerId>{kOther});
    seen_.take_sent();
    receive("6845" + mid + token_hex(1), kPeer);
    EXPECT_TRUE(seen_.responses.empty());
    receive("6845" + mid + token_hex(1), kOther);
    EXPECT_EQ(seen_.responses.size(), 1U);
    EXPECT_EQ(seen_.sent_to, std::vector<PeerId>{kOther});  // the queued one has started
}

TEST_F(CoapClient, JoinsTheQueuesOfAPeerKnownUnderBothAddresses) {
    EXPECT_EQ(get("/1", 1, kOther), SendStatus::ok);
    const Sent sent = seen_.take_sent();
    EXPECT_EQ(get("/1", 2, kPeer), SendStatus::ok);
    EXPECT_EQ(get("/1", 3, kPeer), SendStatus::ok);
    seen_.take_sent();
    endpoint_->rebind_peer(kPeer, kOther, now_);
    receive("6845" + mid_of(sent[0]) + token_hex(1), kOther);
    EXPECT_EQ(seen_.responses.size(), 1U);
    receive("5845aaaa" + token_hex(2), kOther);
    receive("5845aaab" + token_hex(3), kOther);
    EXPECT_EQ(seen_.responses.size(), 3U);
    endpoint_->rebind_peer(kPeer, kOther, now_);
    EXPECT_EQ(endpoint_->exchanges_in_progress(), 0U);
}

TEST_F(CoapClient, UsesANewMessageIdForEachMessageToAPeer) {
    std::string last;
    for (std::uint64_t cookie = 1; cookie < 300; ++cookie) {
        const std::string mid = started(cookie);
        if (!last.empty()) {
            EXPECT_EQ((std::stoul(last, nullptr, 16) + 1) & 0xffff, std::stoul(mid, nullptr, 16));
        }
        last = mid;
        receive("6845" + mid + token_hex(cookie));
    }
}

TEST_F(CoapClient, MakesTokensOfItsOwn) {
    EXPECT_EQ(endpoint_->send_request(kPeer, {}, 1, now_), SendStatus::ok);
    EXPECT_EQ(endpoint_->send_request(kOther, {}, 2, now_), SendStatus::ok);
    const Sent sent = seen_.take_sent();
    EXPECT_EQ(sent[0].size(), 24U);
    EXPECT_NE(sent[0].substr(8), sent[1].substr(8));
}

TEST_F(CoapClient, SendsNonRequestsOnceAndWaits) {
    Request request;
    request.confirmable = false;
    request.token = Token::from_u64(1);
    EXPECT_EQ(endpoint_->send_request(kPeer, request, 1, now_), SendStatus::ok);
    pass(seconds(100));
    EXPECT_EQ(seen_.take_sent().size(), 1U);
    receive("5845abcd" + token_hex(1));
    EXPECT_EQ(seen_.responses.size(), 1U);
}

TEST_F(CoapClient, HandsALateAnswerToTheOwnerOfNotifications) {
    const std::string mid = started(7);
    endpoint_->cancel(7, now_);
    receive("4845abcd" + token_hex(7));
    ASSERT_EQ(seen_.notifications.size(), 1U);
    endpoint_->reset(seen_.notifications[0].handle);
    EXPECT_EQ(seen_.take_sent(), Sent{"7000abcd"});
}

TEST_F(CoapClient, RejectsAnswersWithUnknownCriticalOptions) {
    const std::string mid = started(7);
    receive("6845" + mid + token_hex(7) + "e1fffd00");  // beyond 65535: malformed
    receive("6845" + mid + token_hex(7) + "d1fc00");    // 265
    receive("4845abcd" + token_hex(7) + "d1fc00");
    EXPECT_EQ(seen_.take_sent(), Sent{"7000abcd"});
    EXPECT_TRUE(seen_.responses.empty());
    EXPECT_EQ(stats().rejected_responses, 2U);
}

TEST_F(CoapClient, RefusesRequestsThatDoNotFit) {
    Request request;
    for (int i = 0; i < 100; ++i) request.options.query("a=b");
    EXPECT_EQ(endpoint_->send_request(kPeer, request, 1, now_), SendStatus::too_large);
    Request body;
    const Bytes huge(EndpointLimits{}.request_body_bytes + 1);
    body.payload = huge;
    EXPECT_EQ(endpoint_->send_request(kPeer, body, 1, now_), SendStatus::too_large);
    EXPECT_EQ(endpoint_->exchanges_in_progress(), 0U);
}

TEST_F(CoapClient, SendsConfirmableNotificationsUntilAcknowledged) {
    Notification notification;
    notification.token = Token::from_u64(9);
    notification.options.observe(3);
    notification.confirmable = true;
    std::uint16_t mid = 0;
    ASSERT_EQ(endpoint_->send_notification(kPeer, notification, 5, now_, &mid), SendStatus::ok);
    pass(seconds(4));
    const Sent sent = seen_.take_sent();
    ASSERT_EQ(sent.size(), 2U);
    EXPECT_EQ(sent[0], sent[1]);
    EXPECT_EQ(std::stoul(mid_of(sent[0]), nullptr, 16), mid);
    receive("6000" + mid_of(sent[0]));
    EXPECT_EQ(seen_.acknowledged, std::vector<std::uint64_t>{5});
    ASSERT_EQ(endpoint_->send_notification(kPeer, notification, 6, now_), SendStatus::ok);
    receive("7000" + mid_of(seen_.take_sent()[0]));
    ASSERT_EQ(seen_.failures.size(), 1U);
    EXPECT_EQ(seen_.failures[0].reason, FailureReason::reset);
}

}  // namespace
}  // namespace lanyard::coap
