#include "harness.hpp"

namespace lanyard::coap_ingress {
namespace {

using coap::Code;
using coap::Type;

class Update : public ShardTest {};

TEST_F(Update, WithinThePledgeIsAcknowledgedFromMemory) {
    const auto id = register_device(peer(1000), "dev-1", 64);
    advance(200s);
    commands.clear();
    update(peer(1000), id);
    EXPECT_EQ(seen_code(), Code::changed);
    EXPECT_TRUE(commands.empty());
    EXPECT_EQ(metrics.updates_from_memory.value(), 1U);
}

TEST_F(Update, BeyondThePledgeIsAcknowledgedAfterTheRegistry) {
    const auto id = register_device(peer(1000), "dev-1", 64);
    registry_up = false;  // so that no Touch raises the pledge
    advance(305s);
    update(peer(1000), id);
    EXPECT_EQ(seen_code(), Code::changed);
    advance(200s);
    registry_up = true;
    update(peer(1000), id);
    EXPECT_FALSE(seen());
    ASSERT_FALSE(commands.empty());
    const Command command = take_command();
    EXPECT_EQ(command.update().device_number(), 64U);
    EXPECT_EQ(command.update().epoch(), 1U);
    RegistryAnswer answer = answer_to(command);
    fill(*answer.mutable_registration(), 64, "dev-1", 300);
    core().on_registry_result(answer, now);
    EXPECT_EQ(seen_code(), Code::changed);
}

TEST_F(Update, IsToldByTouchWhichRaisesThePledge) {
    const auto id = register_device(peer(1000), "dev-1", 64, 40);
    for (int round = 0; round < 20; ++round) {
        for (int second = 0; second < 30; ++second) {
            advance(1s);
            while (!commands.empty()) {
                const Command command = take_command();
                ASSERT_TRUE(command.has_touch()) << command.ShortDebugString();
                EXPECT_GE(command.touch().pledge_s(0), wall_s() + 100);
                core().on_registry_result(answer_to(command), now);
            }
        }
        update(peer(1000), id);
        ASSERT_EQ(seen_code(), Code::changed) << round;
    }
    EXPECT_EQ(metrics.updates_from_memory.value(), 20U);
}

TEST_F(Update, WithNewsGoesToTheRegistry) {
    const auto id = register_device(peer(1000), "dev-1", 64);
    auto options = location_options(id);
    options.query("lt=600");
    send(peer(1000), Type::confirmable, Code::post, options);
    EXPECT_FALSE(seen());
    const Command command = take_command();
    EXPECT_EQ(command.update().parameters().lifetime_s(), 600U);
    EXPECT_FALSE(command.update().parameters().has_object_links());
    RegistryAnswer answer = answer_to(command);
    fill(*answer.mutable_registration(), 64, "dev-1", 600);
    core().on_registry_result(answer, now);
    EXPECT_EQ(seen_code(), Code::changed);
}

TEST_F(Update, TellsQueueModeOnlyWhenTheDeviceDoes) {
    const auto id = register_device(peer(1000), "dev-1", 64);
    auto asleep = location_options(id);
    asleep.query("Q");
    send(peer(1000), Type::confirmable, Code::post, asleep);
    Command command = take_command();
    EXPECT_TRUE(command.update().parameters().queue_mode());
    EXPECT_FALSE(command.update().parameters().has_binding());
    RegistryAnswer answer = answer_to(command);
    fill(*answer.mutable_registration(), 64, "dev-1", 300);
    answer.mutable_registration()->set_queue_mode(true);
    core().on_registry_result(answer, now);
    EXPECT_EQ(seen_code(), Code::changed);
    send(peer(1000), Type::confirmable, Code::post, asleep);
    EXPECT_EQ(seen_code(), Code::changed);
    EXPECT_TRUE(commands.empty()) << "the same again is no news";
    auto longer = location_options(id);
    longer.query("lt=600");
    send(peer(1000), Type::confirmable, Code::post, longer);
    EXPECT_FALSE(take_command().update().parameters().has_queue_mode());
}

TEST_F(Update, RepeatingTheSameParametersIsNoNews) {
    const auto id = register_device(peer(1000), "dev-1", 64);
    auto options = location_options(id);
    options.query("lt=300").query("b=U");
    send(peer(1000), Type::confirmable, Code::post, options);
    EXPECT_EQ(seen_code(), Code::changed);
    EXPECT_TRUE(commands.empty());
}

TEST_F(Update, FromANewAddressMovesTheRegistration) {
    const auto id = register_device(peer(1000), "dev-1", 64);
    update(peer(2000), id);
    const auto message = seen();
    ASSERT_TRUE(message);
    EXPECT_EQ(message->view.code(), Code::changed);
    EXPECT_EQ(message->peer.address.port, 2000);
    EXPECT_EQ(metrics.rebinds.value(), 1U);
    EXPECT_EQ(take_command().update().remote_address(), "127.0.0.1:2000");
}

TEST_F(Update, FromANewAddressIsRefusedWhenStrict) {
    config.nosec_rebind = Rebind::strict;
    const auto id = register_device(peer(1000), "dev-1", 64);
    update(peer(2000), id);
    EXPECT_EQ(seen_code(), Code::not_found);
    EXPECT_EQ(metrics.rebinds.value(), 0U);
}

TEST_F(Update, ThroughTheListenerOfAnotherTenantIsRefused) {
    const auto id = register_device(peer(1000), "dev-1", 64);
    update(peer(1000, 1), id);
    EXPECT_EQ(seen_code(), Code::not_found);
}

TEST_F(Update, OfADeviceOfAnotherOwnerAdoptsItFirst) {
    const auto id = identity::format_registration_id(key, {{64}, 4});
    update(peer(1000), id);
    EXPECT_FALSE(seen());
    const Command command = take_command();
    EXPECT_EQ(command.adopt().device_number(), 64U);
    EXPECT_EQ(command.adopt().generation(), 4U);
    EXPECT_EQ(command.adopt().shard(), 3U);
    RegistryAnswer answer = answer_to(command);
    fill(*answer.mutable_registration(), 64, "dev-1", 300, 4, 9);
    core().on_registry_result(answer, now);
    EXPECT_EQ(seen_code(), Code::changed);
    EXPECT_EQ(core().registrations(), 1U);
}

TEST_F(Update, OfADeviceOfAnotherOwnerIsNotHarmedByAStranger) {
    const auto id = identity::format_registration_id(key, {{64}, 4});
    update(peer(666, 1), id);
    update(peer(1000), id);
    const Command command = take_command();
    EXPECT_EQ(command.adopt().tenant(), "other");
    EXPECT_FALSE(command.adopt().same_address());
    EXPECT_TRUE(commands.empty());
    core().on_registry_result(answer_to(command, RegistryAnswer::STATUS_UNKNOWN), now);
    EXPECT_EQ(seen_code(), Code::not_found);
    const auto answer = seen();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->peer, peer(1000));
    EXPECT_EQ(answer->view.code(), Code::service_unavailable) << "the refusal was for the stranger";
}

TEST_F(Update, ThatCannotBeCarriedOutComesAgainWithinTheMinuteOfThePledge) {
    registry_up = false;
    update(peer(1000), identity::format_registration_id(key, {{64}, 4}));
    expect_unavailable(5, 20);
}

TEST_F(Update, OfAnUnknownRegistrationIsNotFound) {
    update(peer(1000), identity::format_registration_id(key, {{64}, 4}));
    core().on_registry_result(answer_to(take_command(), RegistryAnswer::STATUS_UNKNOWN), now);
    EXPECT_EQ(seen_code(), Code::not_found);
}

TEST_F(Update, OfAnEarlierGenerationIsNotFound) {
    const auto old = register_device(peer(1000), "dev-1", 64);
    start_register(peer(1000), "dev-1");
    RegistryAnswer answer = answer_to(take_command());
    fill(*answer.mutable_registration(), 64, "dev-1", 300, 2, 2);
    core().on_registry_result(answer, now);
    EXPECT_EQ(seen_code(), Code::created);
    update(peer(1000), old);
    EXPECT_EQ(seen_code(), Code::not_found);
}

TEST_F(Update, WithAStaleEpochTakesTheDeviceBackAndTriesAgain) {
    const auto id = register_device(peer(1000), "dev-1", 64);
    auto options = location_options(id);
    options.query("lt=600");
    send(peer(1000), Type::confirmable, Code::post, options);
    core().on_registry_result(answer_to(take_command(), RegistryAnswer::STATUS_STALE), now);
    const Command adopt = take_command();
    ASSERT_TRUE(adopt.has_adopt());
    EXPECT_EQ(adopt.adopt().generation(), 1U);
    RegistryAnswer adopted = answer_to(adopt);
    fill(*adopted.mutable_registration(), 64, "dev-1", 300, 1, 5);
    core().on_registry_result(adopted, now);
    const Command again = take_command();
    EXPECT_EQ(again.update().epoch(), 5U);
    EXPECT_EQ(again.update().parameters().lifetime_s(), 600U);
    RegistryAnswer answer = answer_to(again);
    fill(*answer.mutable_registration(), 64, "dev-1", 600, 1, 5);
    core().on_registry_result(answer, now);
    EXPECT_EQ(seen_code(), Code::changed);
}

TEST_F(Update, AfterBeingFencedAdoptsAgain) {
    const auto id = register_device(peer(1000), "dev-1", 64);
    core().on_fenced(64, 1, now);  // its own epoch: no news
    EXPECT_EQ(core().registrations(), 1U);
    core().on_fenced(64, 2, now);
    EXPECT_EQ(core().registrations(), 0U);
    update(peer(1000), id);
    EXPECT_TRUE(take_command().has_adopt());
}

TEST_F(Update, KeepsTheRegistrationBeyondItsFirstLifetime) {
    const auto id = register_device(peer(1000), "dev-1", 64, 60);
    for (int i = 0; i < 5; ++i) {
        for (int second = 0; second < 50; ++second) {
            advance(1s);
            while (!commands.empty()) core().on_registry_result(answer_to(take_command()), now);
        }
        update(peer(1000), id);
        ASSERT_EQ(seen_code(), Code::changed);
    }
    EXPECT_EQ(core().registrations(), 1U);
}

}  // namespace
}  // namespace lanyard::coap_ingress
