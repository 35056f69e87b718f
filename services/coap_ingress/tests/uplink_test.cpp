#include "harness.hpp"

namespace lanyard::coap_ingress {
namespace {

using coap::Code;
using coap::Type;
using events::v1::UplinkRecord;

class Notification : public ShardTest {};

TEST_F(Notification, IsAcknowledgedOnlyAfterDelivery) {
    register_device(peer(1000), "dev-1", 64);
    const auto mid = notify(peer(1000), token(64), "21.5");
    EXPECT_FALSE(seen());
    ASSERT_EQ(produced.size(), 1U);
    const UplinkRecord& record = produced[0].record;
    EXPECT_EQ(produced[0].key, "default/dev-1");
    EXPECT_EQ(record.kind(), UplinkRecord::KIND_NOTIFY);
    EXPECT_EQ(record.device_number(), 64U);
    EXPECT_EQ(record.observation_spec(), 5U);
    EXPECT_EQ(record.observe_sequence(), 7U);
    EXPECT_EQ(record.coap_code(), 0x45U);
    EXPECT_EQ(record.content_format(), 0U);
    EXPECT_EQ(record.payload(), "21.5");
    EXPECT_EQ(record.remote_address(), "127.0.0.1:1000");
    EXPECT_EQ(record.received_ms(), now.wall_ms);
    core().on_delivery(produced[0].opaque, true, now);
    const auto message = seen();
    ASSERT_TRUE(message);
    EXPECT_EQ(message->view.type(), Type::acknowledgement);
    EXPECT_EQ(message->view.mid(), mid);
}

TEST_F(Notification, RepeatedBeforeAndAfterDeliveryMakesOneRecord) {
    register_device(peer(1000), "dev-1", 64);
    notify(peer(1000), token(64), "21.5");
    const Bytes datagram = last_sent;
    receive(peer(1000), datagram);
    EXPECT_FALSE(seen());
    core().on_delivery(produced[0].opaque, true, now);
    EXPECT_TRUE(seen());
    receive(peer(1000), datagram);
    const auto again = seen();
    ASSERT_TRUE(again);
    EXPECT_EQ(again->view.type(), Type::acknowledgement);
    EXPECT_EQ(produced.size(), 1U);
}

TEST_F(Notification, ThatWasNotDeliveredIsNotAcknowledgedAndTriedAgainWithTheSameId) {
    register_device(peer(1000), "dev-1", 64);
    notify(peer(1000), token(64), "21.5");
    const Bytes datagram = last_sent;
    core().on_delivery(produced[0].opaque, false, now);
    EXPECT_FALSE(seen());
    receive(peer(1000), datagram);
    ASSERT_EQ(produced.size(), 2U);
    EXPECT_EQ(produced[0].record.event_id(), produced[1].record.event_id());
    core().on_delivery(produced[1].opaque, true, now);
    EXPECT_TRUE(seen());
}

TEST_F(Notification, ThatKafkaDoesNotTakeIsNotAcknowledged) {
    register_device(peer(1000), "dev-1", 64);
    kafka_up = false;
    notify(peer(1000), token(64), "21.5");
    EXPECT_FALSE(seen());
    kafka_up = true;
    receive(peer(1000), Bytes(last_sent));
    EXPECT_EQ(produced.size(), 1U);
}

TEST_F(Notification, BeyondTheBoundIsNotAcknowledged) {
    config.uplink.pending_max = 2;
    register_device(peer(1000), "dev-1", 64);
    for (std::uint32_t i = 0; i < 3; ++i) notify(peer(1000), token(64), "x", i);
    EXPECT_EQ(produced.size(), 2U);
    EXPECT_FALSE(seen());
}

TEST_F(Notification, NonConfirmableIsStoredWithoutAnswer) {
    register_device(peer(1000), "dev-1", 64);
    notify(peer(1000), token(64), "21.5", 7, Type::non_confirmable);
    ASSERT_EQ(produced.size(), 1U);
    core().on_delivery(produced[0].opaque, true, now);
    EXPECT_FALSE(seen());
}

TEST_F(Notification, WithAnUnknownTokenIsReset) {
    register_device(peer(1000), "dev-1", 64);
    const std::vector<Bytes> tokens{{}, {1, 2, 3, 4}, {0, 0, 0, 0, 0, 5, 1, 1}, token(64, 5, 2)};
    for (const Bytes& bytes : tokens) {
        notify(peer(1000), bytes, "21.5");
        const auto message = seen();
        ASSERT_TRUE(message);
        EXPECT_EQ(message->view.type(), Type::reset);
    }
    EXPECT_TRUE(produced.empty());
    EXPECT_EQ(metrics.notifications[static_cast<std::size_t>(NotifyResult::unknown_token)].value(), 4U);
}

TEST_F(Notification, OfADeviceOfAnotherOwnerAdoptsItFirst) {
    notify(peer(1000), token(64, 5, 4), "21.5");
    EXPECT_TRUE(produced.empty());
    const Command command = take_command();
    EXPECT_EQ(command.adopt().device_number(), 64U);
    EXPECT_EQ(command.adopt().generation(), 0U);
    EXPECT_EQ(as_text(token(64, 5, 4)), command.adopt().token());
    RegistryAnswer answer = answer_to(command);
    fill(*answer.mutable_registration(), 64, "dev-1", 300, 4, 9);
    core().on_registry_result(answer, now);
    ASSERT_EQ(produced.size(), 1U);
    EXPECT_EQ(produced[0].record.epoch(), 9U);
    core().on_delivery(produced[0].opaque, true, now);
    EXPECT_TRUE(seen());
}

TEST_F(Notification, WithAForgedTokenDoesNotMoveTheAdoptedDevice) {
    Bytes forged = token(64, 5, 4);
    forged[7] ^= 1;
    notify(peer(6666), forged, "1");
    RegistryAnswer answer = answer_to(take_command());
    fill(*answer.mutable_registration(), 64, "dev-1", 300, 4, 9);
    core().on_registry_result(answer, now);
    EXPECT_EQ(seen()->view.type(), Type::reset);
    const auto reply = std::make_shared<CollectedReply>();
    DownlinkCall call{{}, reply, now.steady};
    call.request.set_device_number(64);
    EXPECT_TRUE(core().on_downlink(call, now));
    EXPECT_EQ(reply->results.at(0).outcome(), DownlinkOutcome::OUTCOME_SLEEPING);
    notify(peer(1000), token(64, 5, 4), "21.5");
    EXPECT_EQ(produced.size(), 1U);
}

TEST_F(Notification, WithAForgedTokenDoesNotVoidAnotherThatWaits) {
    Bytes forged = token(64, 5, 4);
    forged[7] ^= 1;
    notify(peer(6666), forged, "1");
    notify(peer(1000), token(64, 5, 4), "21.5");
    const Bytes datagram = last_sent;
    core().on_registry_result(answer_to(take_command(), RegistryAnswer::STATUS_UNKNOWN), now);
    const auto refused = seen();
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->peer, peer(6666));
    EXPECT_EQ(refused->view.type(), Type::reset);
    EXPECT_FALSE(seen());
    receive(peer(1000), datagram);
    EXPECT_EQ(as_text(token(64, 5, 4)), take_command().adopt().token());
}

TEST_F(Notification, IsLeftAloneWhileTheRegistryIsAway) {
    registry_up = false;
    notify(peer(1000), token(64), "21.5");
    EXPECT_FALSE(seen());
    registry_up = true;
    receive(peer(1000), Bytes(last_sent));
    EXPECT_EQ(commands.size(), 1U);
}

TEST_F(Notification, LookUpsAreLimitedPerSecond) {
    config.registry.adoptions_per_second = 3;
    for (std::uint32_t number = 64; number < 74; ++number) notify(peer(1000), token(number), "x");
    EXPECT_EQ(commands.size(), 3U);
}

TEST_F(Notification, FromANewAddressMovesTheRegistration) {
    register_device(peer(1000), "dev-1", 64);
    notify(peer(2000), token(64), "21.5");
    core().on_delivery(produced.at(0).opaque, true, now);
    EXPECT_EQ(seen()->peer.address.port, 2000);
    EXPECT_EQ(metrics.rebinds.value(), 1U);
}

TEST_F(Notification, FromANewAddressIsResetWhenStrict) {
    config.nosec_rebind = Rebind::strict;
    register_device(peer(1000), "dev-1", 64);
    notify(peer(2000), token(64), "21.5");
    EXPECT_EQ(seen()->view.type(), Type::reset);
}

TEST_F(Notification, SaysWhereTheDeviceKeepsItsObjects) {
    start_register(peer(1000), "dev-1");
    RegistryAnswer stored = answer_to(take_command());
    fill(*stored.mutable_registration(), 64, "dev-1", 300);
    stored.mutable_registration()->set_root_path("lwm2m");
    core().on_registry_result(stored, now);
    EXPECT_EQ(seen_code(), Code::created);
    notify(peer(1000), token(64), "21.5");
    ASSERT_EQ(produced.size(), 1U);
    EXPECT_EQ(produced[0].record.root_path(), "/lwm2m");
}

TEST_F(Notification, WithAnErrorCodeIsPassedOn) {
    register_device(peer(1000), "dev-1", 64);
    send(peer(1000), Type::confirmable, Code::not_found, {}, {}, token(64));
    ASSERT_EQ(produced.size(), 1U);
    EXPECT_EQ(produced[0].record.coap_code(), 0x84U);
    EXPECT_FALSE(produced[0].record.has_content_format());
}

class Send : public ShardTest {
  protected:
    std::uint16_t send_values(std::uint16_t from, std::string_view payload, std::uint16_t format = 110) {
        coap::Options options;
        options.path("dp").content_format(format);
        return send(peer(from), Type::confirmable, Code::post, options, payload);
    }
};

constexpr std::string_view kSenml = R"([{"bn":"/3303/0/","n":"5700","v":21.5}])";

TEST_F(Send, IsAnsweredOnlyAfterDelivery) {
    register_device(peer(1000), "dev-1", 64);
    send_values(1000, kSenml);
    EXPECT_FALSE(seen());
    ASSERT_EQ(produced.size(), 1U);
    EXPECT_EQ(produced[0].record.kind(), UplinkRecord::KIND_SEND);
    EXPECT_EQ(produced[0].record.content_format(), 110U);
    EXPECT_EQ(produced[0].record.payload(), kSenml);
    core().on_delivery(produced[0].opaque, true, now);
    EXPECT_EQ(seen_code(), Code::changed);
}

TEST_F(Send, GetsUnavailableWhenKafkaFails) {
    register_device(peer(1000), "dev-1", 64);
    send_values(1000, kSenml);
    core().on_delivery(produced.at(0).opaque, false, now);
    const auto message = seen();
    ASSERT_TRUE(message);
    EXPECT_EQ(message->view.code(), Code::service_unavailable);
    EXPECT_TRUE(message->view.find_uint(coap::OptionNumber::max_age));
    kafka_up = false;
    send_values(1000, kSenml);
    EXPECT_EQ(seen_code(), Code::service_unavailable);
}

TEST_F(Send, ThatIsMalformedIsRefusedAtOnce) {
    register_device(peer(1000), "dev-1", 64);
    send_values(1000, "[{");
    EXPECT_EQ(seen_code(), Code::bad_request);
    EXPECT_TRUE(produced.empty());
}

TEST_F(Send, OfAnObjectThatWasNotRegisteredIsNotFound) {  // Core 1.2 section 6.4.6
    start_register(peer(1000), "dev-1");
    RegistryAnswer answer = answer_to(take_command());
    fill(*answer.mutable_registration(), 64, "dev-1", 300);
    core().on_registry_result(answer, now);
    EXPECT_EQ(seen_code(), Code::created);
    send_values(1000, R"([{"bn":"/3303/0/","n":"5700","v":1},{"bn":"/3304/0/","n":"5700","v":2}])");
    EXPECT_EQ(seen_code(), Code::not_found);
    EXPECT_TRUE(produced.empty());
    send_values(1000, kSenml);
    EXPECT_EQ(produced.size(), 1U);
}

TEST_F(Send, OfAnAdoptedDeviceIsJudgedByWhatTheRegistryTellsOfIt) {
    update(peer(1000), identity::format_registration_id(key, {{64}, 4}));
    RegistryAnswer answer = answer_to(take_command());
    fill(*answer.mutable_registration(), 64, "dev-1", 300, 4, 9);
    for (const std::uint32_t id : {1U, 3U}) answer.mutable_registration()->add_objects(id);
    core().on_registry_result(answer, now);
    EXPECT_EQ(seen_code(), Code::changed);
    send_values(1000, kSenml);
    EXPECT_EQ(seen_code(), Code::not_found);
    // An Update brings another list.
    send(peer(1000), Type::confirmable, Code::post,
         location_options(identity::format_registration_id(key, {{64}, 4})).content_format(40), kLinks);
    answer = answer_to(take_command());
    fill(*answer.mutable_registration(), 64, "dev-1", 300, 4, 9);
    core().on_registry_result(answer, now);
    EXPECT_EQ(seen_code(), Code::changed);
    send_values(1000, kSenml);
    EXPECT_EQ(produced.size(), 1U);
}

TEST_F(Send, FromAnAddressOfSeveralRegistrationsIsRefused) {
    register_device(peer(1000), "dev-1", 64);
    register_device(peer(1000), "dev-2", 65);
    send_values(1000, kSenml);
    EXPECT_EQ(seen_code(), Code::bad_request);
}

}  // namespace
}  // namespace lanyard::coap_ingress
