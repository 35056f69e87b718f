#include "endpoint_fixture.hpp"

namespace lanyard::coap {
namespace {

// POST /rd?lt=60, mid 0x0001, token 0xaa.
constexpr auto kPost = "41020001aab27264456c743d3630";

class CoapServer : public EndpointTest {};

TEST_F(CoapServer, AnswersPiggybackedAndReplaysForDuplicates) {
    receive(kPost);
    ASSERT_EQ(seen_.requests.size(), 1U);
    EXPECT_EQ(seen_.requests[0].path, "/rd");
    EXPECT_TRUE(seen_.sent.empty());
    EXPECT_TRUE(respond(seen_.requests[0].handle, Code::changed));
    EXPECT_EQ(seen_.take_sent(), Sent{"61440001aa"});
    receive(kPost);
    receive(kPost);
    EXPECT_EQ(seen_.take_sent(), (Sent{"61440001aa", "61440001aa"}));
    EXPECT_EQ(seen_.requests.size(), 1U);
    EXPECT_EQ(stats().duplicates, 2U);
    EXPECT_EQ(stats().replays, 2U);
}

TEST_F(CoapServer, ReplaysAnswersWithOptionsAndPayloadToo) {
    receive(kPost);
    Response response;
    response.code = Code::created;
    response.options.location("/rd/5a3f");
    EXPECT_TRUE(endpoint_->respond(seen_.requests[0].handle, response, now_));
    const Sent first = seen_.take_sent();
    EXPECT_EQ(first, Sent{"61410001aa8272640435613366"});
    receive(kPost);
    EXPECT_EQ(seen_.take_sent(), first);
}

TEST_F(CoapServer, ForgetsAMessageAfterExchangeLifetime) {
    receive(kPost);
    respond(seen_.requests[0].handle, Code::changed);
    pass(seconds(246));
    receive(kPost);
    EXPECT_EQ(seen_.requests.size(), 1U);
    pass(seconds(2));
    receive(kPost);
    EXPECT_EQ(seen_.requests.size(), 2U);
}

TEST_F(CoapServer, TellsMessagesOfDifferentPeersApart) {
    receive(kPost, kPeer);
    receive(kPost, kOther);
    PeerId listener = kPeer;
    listener.listener = 1;
    receive(kPost, listener);
    EXPECT_EQ(seen_.requests.size(), 3U);
}

TEST_F(CoapServer, SwallowsDuplicatesWhileTheApplicationWorks) {
    receive(kPost);
    receive(kPost);
    EXPECT_TRUE(seen_.sent.empty());
    EXPECT_EQ(seen_.requests.size(), 1U);
    EXPECT_EQ(endpoint_->requests_pending(), 1U);
}

TEST_F(CoapServer, AcknowledgesALateAnswerAndSendsItConfirmable) {
    receive(kPost);
    pass(milliseconds(1400));
    EXPECT_TRUE(seen_.sent.empty());
    pass(milliseconds(101));
    EXPECT_EQ(seen_.take_sent(), Sent{"60000001"});
    receive(kPost);
    EXPECT_EQ(seen_.take_sent(), Sent{"60000001"});
    pass(seconds(10));
    EXPECT_TRUE(respond(seen_.requests[0].handle, Code::changed));
    Sent sent = seen_.take_sent();
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent[0].substr(0, 4), "4144");
    EXPECT_EQ(sent[0].substr(8), "aa");
    receive(kPost);
    EXPECT_EQ(seen_.take_sent(), Sent{"60000001"});
    pass(seconds(4));
    EXPECT_EQ(seen_.take_sent(), sent);  // retransmitted
    receive("6000" + mid_of(sent[0]));
    pass(seconds(100));
    EXPECT_TRUE(seen_.sent.empty());
    EXPECT_EQ(endpoint_->exchanges_in_progress(), 0U);
}

TEST_F(CoapServer, GivesUpASeparateAnswerAfterMaxRetransmit) {
    receive(kPost);
    pass(seconds(2));
    seen_.take_sent();
    respond(seen_.requests[0].handle, Code::changed);
    pass(seconds(94));
    EXPECT_EQ(seen_.take_sent().size(), 5U);
    EXPECT_EQ(endpoint_->exchanges_in_progress(), 0U);
}

TEST_F(CoapServer, AnswersANonWithANonAndSwallowsItsDuplicates) {
    receive("51020001aab27264");
    respond(seen_.requests[0].handle, Code::changed);
    const Sent sent = seen_.take_sent();
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent[0].substr(0, 4), "5144");
    receive("51020001aab27264");
    pass(seconds(5));
    EXPECT_TRUE(seen_.sent.empty());
    EXPECT_EQ(seen_.requests.size(), 1U);
}

TEST_F(CoapServer, RefusesStaleHandles) {
    EXPECT_FALSE(respond(RequestHandle{}, Code::changed));
    EXPECT_FALSE(respond(RequestHandle{77}, Code::changed));
    receive(kPost);
    EXPECT_TRUE(respond(seen_.requests[0].handle, Code::changed));
    EXPECT_FALSE(respond(seen_.requests[0].handle, Code::changed));
    receive("41020002aab27264");
    pass(seconds(260));
    EXPECT_FALSE(respond(seen_.requests[1].handle, Code::changed));
    EXPECT_EQ(endpoint_->requests_pending(), 0U);
    EXPECT_EQ(stats().pending_evicted, 1U);
}

TEST_F(CoapServer, AnswersAPingWithAReset) {
    receive("40001234");
    EXPECT_EQ(seen_.take_sent(), Sent{"70001234"});
    EXPECT_EQ(stats().pings_received, 1U);
}

TEST_F(CoapServer, RefusesUnknownCriticalOptions) {
    receive("41020001aab2726461ff");  // option 17 (Accept), then nothing unknown
    EXPECT_EQ(seen_.requests.size(), 1U);
    receive("41020002aab27264d1f1aa");  // 11 + 254 = 265: odd, unknown
    const MessageView reply = view_of(seen_.sent.at(0));
    EXPECT_EQ(reply.type(), Type::acknowledgement);
    EXPECT_EQ(reply.code(), Code::bad_option);
    EXPECT_EQ(reply.mid(), 2U);
    EXPECT_EQ(as_text(reply.payload()), "option 265: not known, too long or repeated");
    seen_.sent.clear();
    EXPECT_EQ(seen_.refused.at(0).first, Code::bad_option);
    receive("51020003aab27264d1f1aa");  // the same in a NON
    EXPECT_TRUE(seen_.sent.empty());
    EXPECT_EQ(seen_.requests.size(), 1U);
    EXPECT_EQ(stats().bad_options, 2U);
}

TEST_F(CoapServer, RefusesRepeatedCriticalOptionsThatMayNotRepeat) {
    receive(
        "41020001aa"
        "b27264"
        "6170"
        "0170");  // Accept twice
    EXPECT_EQ(view_of(seen_.sent.at(0)).code(), Code::bad_option);
    EXPECT_EQ(as_text(view_of(seen_.sent.at(0)).payload()), "option 17: not known, too long or repeated");
}

TEST_F(CoapServer, KeepsUnknownElectiveOptions) {
    receive("41020001aab27264d1f0aa");  // 264
    EXPECT_EQ(seen_.requests.size(), 1U);
}

TEST_F(CoapServer, IsNoProxy) {
    receive("41010001aad4166161613a");  // Proxy-Uri
    EXPECT_EQ(seen_.take_sent(), Sent{"61a50001aaff6e6f7420612070726f7879"});
}

TEST_F(CoapServer, ResetsMalformedConfirmablesAndIgnoresOthers) {
    receive("49010101010203040506070809");
    EXPECT_EQ(seen_.take_sent(), Sent{"70000101"});
    receive("59010102010203040506070809");
    receive("69010103010203040506070809");
    receive("c0010104");
    receive("00010104");
    receive("4001");
    EXPECT_TRUE(seen_.sent.empty());
    EXPECT_EQ(stats().malformed[static_cast<std::size_t>(DecodeError::token_too_long)], 3U);
    EXPECT_EQ(stats().malformed[static_cast<std::size_t>(DecodeError::bad_version)], 2U);
    EXPECT_EQ(stats().malformed[static_cast<std::size_t>(DecodeError::too_short)], 1U);
}

TEST_F(CoapServer, IgnoresRequestsInAcknowledgementsAndResets) {
    receive("60010001");
    receive("70010001");
    EXPECT_TRUE(seen_.sent.empty());
    EXPECT_TRUE(seen_.requests.empty());
    EXPECT_EQ(stats().unmatched, 2U);
}

TEST_F(CoapServer, AnswersOverloadWhenTooManyRequestsArePending) {
    EndpointConfig config = config_with_seed(1);
    config.limits.pending_requests = 1;
    use(config);
    receive("40020001b27264");
    receive("40020002b27264");
    EXPECT_EQ(seen_.requests.size(), 1U);
    EXPECT_EQ(seen_.take_sent(), Sent{"60a30002d1010aff746f6f206d616e792072657175657374732077616974"});
    respond(seen_.requests[0].handle, Code::changed);
    receive("40020003b27264");
    EXPECT_EQ(seen_.requests.size(), 2U);
}

TEST_F(CoapServer, ForgetsTheOldestMessageWhenFull) {
    EndpointConfig config = config_with_seed(1);
    config.limits.dedup_entries = 4;
    use(config);
    for (const char* mid : {"01", "02", "03", "04", "05"}) receive(std::string("400200") + mid + "b27264");
    EXPECT_EQ(stats().dedup_evicted, 1U);
    EXPECT_EQ(stats().pending_evicted, 1U);
    EXPECT_FALSE(respond(seen_.requests[0].handle, Code::changed));
    EXPECT_TRUE(respond(seen_.requests[4].handle, Code::changed));
}

TEST_F(CoapServer, SwallowsDuplicatesWhoseAnswerIsNoLongerKept) {
    EndpointConfig config = config_with_seed(1);
    config.limits.replay_bytes = 64;
    use(config);
    for (const char* mid : {"01", "02", "03"}) {
        receive(std::string("400100") + mid + "b16b");
        respond(seen_.requests.back().handle, Code::content, "0123456789012345678901234567890123456789");
    }
    seen_.take_sent();
    receive("40010001b16b");
    EXPECT_TRUE(seen_.sent.empty());
    EXPECT_EQ(stats().replays_lost, 1U);
    receive("40010003b16b");
    EXPECT_EQ(seen_.sent.size(), 1U);
}

// CON 2.05 with Observe 12, token 0x05, payload "21.5".
constexpr auto kNotification =
    "41450101"
    "05"
    "610c"
    "ff32312e35";

TEST_F(CoapServer, LeavesNotificationsToTheirOwner) {
    receive(kNotification);
    ASSERT_EQ(seen_.notifications.size(), 1U);
    EXPECT_EQ(seen_.notifications[0].observe, 12U);
    EXPECT_EQ(seen_.notifications[0].payload, "21.5");
    receive(kNotification);
    pass(seconds(10));
    EXPECT_TRUE(seen_.sent.empty());  // no ACK before it is safe
    EXPECT_TRUE(endpoint_->ack(seen_.notifications[0].handle));
    EXPECT_EQ(seen_.take_sent(), Sent{"60000101"});
    EXPECT_FALSE(endpoint_->ack(seen_.notifications[0].handle));
    receive(kNotification);
    EXPECT_EQ(seen_.take_sent(), Sent{"60000101"});
    EXPECT_EQ(seen_.notifications.size(), 1U);
}

TEST_F(CoapServer, ResetsNotificationsThatNobodyWants) {
    receive(kNotification);
    EXPECT_TRUE(endpoint_->reset(seen_.notifications[0].handle));
    EXPECT_FALSE(endpoint_->reset(seen_.notifications[0].handle));
    EXPECT_EQ(seen_.take_sent(), Sent{"70000101"});
    receive(kNotification);
    EXPECT_EQ(seen_.take_sent(), Sent{"70000101"});
}

TEST_F(CoapServer, HandsAForgottenNotificationOverAgain) {
    receive(kNotification);
    ASSERT_EQ(seen_.notifications.size(), 1U);
    EXPECT_TRUE(endpoint_->forget(seen_.notifications[0].handle));
    EXPECT_FALSE(endpoint_->forget(seen_.notifications[0].handle));
    EXPECT_FALSE(endpoint_->ack(seen_.notifications[0].handle));
    EXPECT_EQ(seen_.take_sent(), Sent{});
    receive(kNotification);
    ASSERT_EQ(seen_.notifications.size(), 2U);
    EXPECT_TRUE(endpoint_->ack(seen_.notifications[1].handle));
    EXPECT_EQ(seen_.take_sent().size(), 1U);
    receive(kNotification);
    EXPECT_EQ(seen_.notifications.size(), 2U);
    EXPECT_EQ(seen_.take_sent().size(), 1U);
}

TEST_F(CoapServer, AcceptsNonNotificationsInSilenceAndResetsThemOnRequest) {
    receive("5145010205610cff32");
    EXPECT_TRUE(endpoint_->ack(seen_.notifications[0].handle));
    EXPECT_TRUE(seen_.sent.empty());
    receive("5145010305610dff32");
    EXPECT_TRUE(endpoint_->reset(seen_.notifications[1].handle));
    EXPECT_EQ(seen_.take_sent(), Sent{"70000103"});
}

TEST_F(CoapServer, RejectsNotificationsWithUnknownCriticalOptions) {
    receive("4145010105610cd1f6aaff32");  // 6 + 259 = 265
    EXPECT_EQ(seen_.take_sent(), Sent{"70000101"});
    EXPECT_TRUE(seen_.notifications.empty());
}

}  // namespace
}  // namespace lanyard::coap
