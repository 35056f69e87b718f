#include "harness.hpp"

namespace lanyard::coap_ingress {
namespace {

using coap::Code;
using coap::Type;

class Downlink : public ShardTest {
  protected:
    static DownlinkCall make_call(std::uint32_t number, const std::shared_ptr<DownlinkReply>& reply, SteadyTime now) {
        DownlinkCall call{{}, reply, now};
        call.request.set_id(77);
        call.request.set_device_number(number);
        call.request.set_timeout_ms(20000);
        call.request.mutable_request()->set_method(1);
        call.request.mutable_request()->set_path("/3/0/0");
        return call;
    }
    bool ask(DownlinkCall call) { return core().on_downlink(call, now); }
    DownlinkOutcome::Outcome outcome_of(const DownlinkCall& call) {
        EXPECT_TRUE(ask(call));
        return reply->results.empty() ? DownlinkOutcome::OUTCOME_UNSPECIFIED : reply->results.back().outcome();
    }
    void answer(const SeenMessage& request, std::string_view payload) {
        Bytes buffer(512);
        coap::Options options;
        options.content_format(0);
        const auto message = coap::encode(buffer, {Type::acknowledgement, Code::content, request.view.mid()},
                                          request.view.token(), options, as_bytes(payload));
        receive(request.peer, message);
    }

    // The first 16 of 20 bytes.
    void notify_first_block(ByteView observation) {
        coap::Options options;
        options.observe(9).content_format(0).add_uint(coap::OptionNumber::etag, 7);
        options.add_block(coap::OptionNumber::block2, {0, true, 0});
        send(peer(1000), Type::confirmable, Code::content, options, "0123456789abcdef", observation);
    }
    void answer_last_block(const SeenMessage& request, Code code = Code::content) {
        Bytes buffer(512);
        coap::Options last;
        last.content_format(0)
            .add_uint(coap::OptionNumber::etag, 7)
            .add_block(coap::OptionNumber::block2, {1, false, 0});
        receive(request.peer, coap::encode(buffer, {Type::acknowledgement, code, request.view.mid()},
                                           request.view.token(), last, as_bytes("rest")));
    }
    RegistryAnswer resolved(const Command& command, const std::string& path) const {
        RegistryAnswer answer = answer_to(command);
        answer.mutable_observed()->set_method(1);
        answer.mutable_observed()->set_path(path);
        return answer;
    }

    std::shared_ptr<CollectedReply> reply = std::make_shared<CollectedReply>();
};

TEST_F(Downlink, ReachesTheDeviceAndBringsItsAnswer) {
    register_device(peer(1000), "dev-1", 64);
    auto call = make_call(64, reply, now.steady);
    call.request.mutable_request()->set_accept(0);
    EXPECT_TRUE(ask(call));
    const auto request = seen();
    ASSERT_TRUE(request);
    EXPECT_EQ(request->peer, peer(1000));
    EXPECT_EQ(request->view.code(), Code::get);
    EXPECT_EQ(request->view.path(), "/3/0/0");
    EXPECT_EQ(request->view.accept(), 0);
    answer(*request, "Maker");
    ASSERT_EQ(reply->results.size(), 1U);
    const auto& result = reply->results[0];
    EXPECT_EQ(result.id(), 77U);
    EXPECT_EQ(result.outcome(), DownlinkOutcome::OUTCOME_ANSWERED);
    EXPECT_EQ(result.coap_code(), 0x45U);
    EXPECT_EQ(result.content_format(), 0U);
    EXPECT_EQ(result.payload(), "Maker");
    EXPECT_EQ(result.owner().node(), 7U);
    EXPECT_EQ(result.owner().shard(), 3U);
    EXPECT_EQ(result.owner().epoch(), 1U);
    EXPECT_EQ(result.generation(), 1U);
}

TEST_F(Downlink, KeepsTheGivenTokenAndObserve) {
    register_device(peer(1000), "dev-1", 64);
    auto call = make_call(64, reply, now.steady);
    const Bytes observation = token(64);
    call.request.mutable_request()->set_token(observation.data(), observation.size());
    call.request.mutable_request()->set_observe(0);
    EXPECT_TRUE(ask(call));
    const auto request = seen();
    ASSERT_TRUE(request);
    EXPECT_EQ(Bytes(request->view.token().bytes().begin(), request->view.token().bytes().end()), observation);
    EXPECT_EQ(request->view.observe(), 0U);
}

TEST_F(Downlink, PutsTheRootPathInFront) {
    start_register(peer(1000), "dev-1");
    RegistryAnswer stored = answer_to(take_command());
    fill(*stored.mutable_registration(), 64, "dev-1", 300);
    stored.mutable_registration()->set_root_path("lwm2m");
    core().on_registry_result(stored, now);
    EXPECT_EQ(seen_code(), Code::created);
    EXPECT_TRUE(ask(make_call(64, reply, now.steady)));
    EXPECT_EQ(seen()->view.path(), "/lwm2m/3/0/0");
}

TEST_F(Downlink, ForAnUnknownDeviceIsLeftToOtherShards) {
    EXPECT_FALSE(ask(make_call(64, reply, now.steady)));
    EXPECT_TRUE(reply->results.empty());
    core().refuse_not_owner(make_call(64, reply, now.steady));
    EXPECT_EQ(reply->results.at(0).outcome(), DownlinkOutcome::OUTCOME_NOT_OWNER);
}

TEST_F(Downlink, ChecksEpochAndGeneration) {
    register_device(peer(1000), "dev-1", 64);
    start_register(peer(1000), "dev-1");
    RegistryAnswer stored = answer_to(take_command());
    fill(*stored.mutable_registration(), 64, "dev-1", 300, 2, 2);
    core().on_registry_result(stored, now);
    EXPECT_EQ(seen_code(), Code::created);

    auto stale = make_call(64, reply, now.steady);
    stale.request.mutable_owner()->set_node(7);
    stale.request.mutable_owner()->set_epoch(3);
    EXPECT_EQ(outcome_of(stale), DownlinkOutcome::OUTCOME_NOT_OWNER);
    auto later = make_call(64, reply, now.steady);
    later.request.set_generation(3);
    EXPECT_EQ(outcome_of(later), DownlinkOutcome::OUTCOME_NOT_OWNER);
    auto earlier = make_call(64, reply, now.steady);
    earlier.request.set_generation(1);
    EXPECT_EQ(outcome_of(earlier), DownlinkOutcome::OUTCOME_OFFLINE);
}

TEST_F(Downlink, ToAQueueModeDeviceNeedsItsAwakeWindow) {
    const auto id = register_device(peer(1000), "dev-1", 64, 3000, true);
    advance(92s);
    EXPECT_TRUE(ask(make_call(64, reply, now.steady)));
    const auto request = seen();
    ASSERT_TRUE(request);
    answer(*request, "x");
    advance(100s);
    EXPECT_EQ(outcome_of(make_call(64, reply, now.steady)), DownlinkOutcome::OUTCOME_SLEEPING);
    update(peer(1000), id);
    while (seen()) {
    }
    EXPECT_TRUE(ask(make_call(64, reply, now.steady)));
    EXPECT_TRUE(seen());
}

TEST_F(Downlink, OneAtATimeAndABoundedQueue) {
    config.downlink.queue_per_device = 2;
    register_device(peer(1000), "dev-1", 64);
    EXPECT_TRUE(ask(make_call(64, reply, now.steady)));
    EXPECT_TRUE(ask(make_call(64, reply, now.steady)));
    const auto first = seen();
    ASSERT_TRUE(first);
    EXPECT_FALSE(seen());
    EXPECT_EQ(outcome_of(make_call(64, reply, now.steady)), DownlinkOutcome::OUTCOME_QUEUE_FULL);
    answer(*first, "x");
    EXPECT_TRUE(seen());
}

TEST_F(Downlink, EndsAtItsDeadline) {
    register_device(peer(1000), "dev-1", 64);
    auto call = make_call(64, reply, now.steady);
    call.request.set_timeout_ms(3000);
    EXPECT_TRUE(ask(call));
    advance(4s);
    ASSERT_EQ(reply->results.size(), 1U);
    EXPECT_EQ(reply->results[0].outcome(), DownlinkOutcome::OUTCOME_TIMEOUT);
}

TEST_F(Downlink, ToADeviceThatResets) {
    register_device(peer(1000), "dev-1", 64);
    EXPECT_TRUE(ask(make_call(64, reply, now.steady)));
    const auto request = seen();
    const auto reset = coap::encode_empty(Type::reset, request->view.mid());
    receive(peer(1000), reset);
    ASSERT_EQ(reply->results.size(), 1U);
    EXPECT_EQ(reply->results[0].outcome(), DownlinkOutcome::OUTCOME_RESET);
}

TEST_F(Downlink, RefusesMalformedRequests) {
    register_device(peer(1000), "dev-1", 64);
    auto method = make_call(64, reply, now.steady);
    method.request.mutable_request()->set_method(6);
    EXPECT_EQ(outcome_of(method), DownlinkOutcome::OUTCOME_INVALID);
    auto path = make_call(64, reply, now.steady);
    path.request.mutable_request()->set_path("3/0");
    EXPECT_EQ(outcome_of(path), DownlinkOutcome::OUTCOME_INVALID);
    auto token_bytes = make_call(64, reply, now.steady);
    token_bytes.request.mutable_request()->set_token("123456789");
    EXPECT_EQ(outcome_of(token_bytes), DownlinkOutcome::OUTCOME_INVALID);
}

TEST_F(Downlink, FollowsADeviceToItsNewAddress) {
    const auto id = register_device(peer(1000), "dev-1", 64);
    update(peer(2000), id);
    EXPECT_EQ(seen_code(), Code::changed);
    EXPECT_TRUE(ask(make_call(64, reply, now.steady)));
    EXPECT_EQ(seen()->peer, peer(2000));
}

TEST_F(Downlink, IsRefusedWhileDraining) {
    register_device(peer(1000), "dev-1", 64);
    core().begin_drain(now);
    EXPECT_EQ(outcome_of(make_call(64, reply, now.steady)), DownlinkOutcome::OUTCOME_UNAVAILABLE);
}

TEST_F(Downlink, FetchesTheRestOfANotificationInBlocks) {
    register_device(peer(1000), "dev-1", 64);
    auto call = make_call(64, reply, now.steady);
    const Bytes observation = token(64);
    call.request.mutable_request()->set_token(observation.data(), observation.size());
    call.request.mutable_request()->set_observe(0);
    EXPECT_TRUE(ask(call));
    answer(*seen(), "first value");
    notify_first_block(observation);
    EXPECT_TRUE(produced.empty());
    const auto request = seen();
    ASSERT_TRUE(request);
    EXPECT_EQ(request->view.path(), "/3/0/0");
    EXPECT_FALSE(request->view.observe());
    EXPECT_EQ(request->view.accept(), 0);
    EXPECT_EQ(request->view.find_block(coap::OptionNumber::block2)->num, 1U);
    answer_last_block(*request);
    ASSERT_EQ(produced.size(), 1U);
    EXPECT_EQ(produced[0].record.payload(), "0123456789abcdefrest");
    EXPECT_EQ(produced[0].record.observe_sequence(), 9U);
    EXPECT_FALSE(seen());
    core().on_delivery(produced[0].opaque, true, now);
    EXPECT_EQ(seen()->view.type(), Type::acknowledgement);
}

TEST_F(Downlink, AsksTheRegistryWhatANotificationInBlocksIsAbout) {
    register_device(peer(1000), "dev-1", 64);
    notify_first_block(token(64));
    EXPECT_FALSE(seen());
    const Command command = take_command();
    EXPECT_EQ(command.resolve().spec(), 5U);
    core().on_registry_result(resolved(command, "/3303/0"), now);
    const auto request = seen();
    ASSERT_TRUE(request);
    EXPECT_EQ(request->view.path(), "/3303/0");
    answer_last_block(*request);
    ASSERT_EQ(produced.size(), 1U);
    EXPECT_EQ(produced[0].record.payload(), "0123456789abcdefrest");
    core().on_delivery(produced[0].opaque, true, now);
    EXPECT_EQ(seen()->view.type(), Type::acknowledgement);
    notify_first_block(token(64));
    EXPECT_TRUE(commands.empty());
    EXPECT_EQ(seen()->view.path(), "/3303/0");
}

TEST_F(Downlink, FetchesNoMoreThanItsBoundsAllow) {
    config.downlink.pending_max = 1;
    config.downlink.timeout_max = 20s;
    register_device(peer(1000), "dev-1", 64);
    register_device(peer(1001), "dev-2", 65);
    notify_first_block(token(64));
    core().on_registry_result(resolved(take_command(), "/3303/0"), now);
    EXPECT_EQ(seen()->view.path(), "/3303/0");
    const auto incomplete = [this] {
        return metrics.notifications[static_cast<std::size_t>(NotifyResult::incomplete)].value();
    };
    coap::Options options;
    options.observe(9).content_format(0).add_block(coap::OptionNumber::block2, {0, true, 0});
    send(peer(1001), Type::confirmable, Code::content, options, "0123456789abcdef", token(65));
    EXPECT_EQ(incomplete(), 1U) << "one at a time";
    EXPECT_FALSE(seen());
    advance(21s);
    EXPECT_EQ(incomplete(), 2U) << "the device did not answer in time";
    EXPECT_EQ(core().downlinks(), 0U);
}

TEST_F(Downlink, LeavesANotificationAloneWhoseRestNobodyCanFetch) {
    register_device(peer(1000), "dev-1", 64);
    notify_first_block(token(64));
    const Bytes datagram = last_sent;
    core().on_registry_result(answer_to(take_command(), RegistryAnswer::STATUS_UNKNOWN), now);
    EXPECT_FALSE(seen());
    receive(peer(1000), datagram);
    core().on_registry_result(resolved(take_command(), "/3303/0"), now);
    const auto request = seen();
    ASSERT_TRUE(request);
    answer_last_block(*request, Code::not_found);
    EXPECT_FALSE(seen());
    EXPECT_TRUE(produced.empty());
    EXPECT_EQ(metrics.notifications[static_cast<std::size_t>(NotifyResult::incomplete)].value(), 2U);
}

// What a registry says to whom it is not connected by a stream of registrations.
TEST_F(Downlink, AFenceEndsAnOlderSessionAndAsksTheDeviceNothing) {
    register_device(peer(1000), "dev-1", 64);
    DownlinkCall fence = make_call(64, reply, now.steady);
    fence.request.set_fences(true);
    fence.request.mutable_owner()->set_epoch(1);
    EXPECT_FALSE(ask(fence)) << "no shard takes it";
    EXPECT_EQ(core().registrations(), 1U) << "its own epoch is no news";
    fence.request.mutable_owner()->set_epoch(2);
    EXPECT_FALSE(ask(fence));
    EXPECT_EQ(core().registrations(), 0U);
    EXPECT_FALSE(seen());
    EXPECT_FALSE(ask(make_call(64, reply, now.steady)));
}

}  // namespace
}  // namespace lanyard::coap_ingress
