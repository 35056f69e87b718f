#include "harness.hpp"

namespace lanyard::coap_ingress {
namespace {

using coap::Code;
using coap::Type;

std::string location_of(const coap::MessageView& message) {
    std::string location;
    for (const auto& option : message.options()) {
        if (option.number == coap::OptionNumber::location_path) location.append("/").append(as_text(option.value));
    }
    return location;
}

class Registration : public ShardTest {};

TEST_F(Registration, IsAnsweredOnlyAfterTheRegistryHasStoredIt) {
    start_register(peer(1000), "dev-1");
    EXPECT_FALSE(seen());
    const Command command = take_command();
    EXPECT_EQ(command.register_().tenant(), "default");
    EXPECT_EQ(command.register_().endpoint(), "dev-1");
    EXPECT_EQ(command.register_().parameters().lifetime_s(), 300U);
    EXPECT_EQ(command.register_().parameters().lwm2m_version(), "1.1");
    EXPECT_EQ(command.register_().parameters().binding(), "U");
    EXPECT_EQ(command.register_().parameters().object_links(), kLinks);
    EXPECT_EQ(command.register_().remote_address(), "127.0.0.1:1000");
    EXPECT_EQ(command.register_().shard(), 3U);
    RegistryAnswer answer = answer_to(command);
    fill(*answer.mutable_registration(), 64, "dev-1", 300);
    core().on_registry_result(answer, now);
    const auto message = seen();
    ASSERT_TRUE(message);
    EXPECT_EQ(message->view.code(), Code::created);
    EXPECT_EQ(location_of(message->view), "/rd/" + identity::format_registration_id(key, {{64}, 1}));
    EXPECT_EQ(core().registrations(), 1U);
}

TEST_F(Registration, RepeatedDatagramGetsTheSameLocation) {
    start_register(peer(1000), "dev-1");
    const Bytes datagram = last_sent;
    receive(peer(1000), datagram);
    ASSERT_EQ(commands.size(), 1U);
    RegistryAnswer answer = answer_to(take_command());
    fill(*answer.mutable_registration(), 64, "dev-1", 300);
    core().on_registry_result(answer, now);
    const auto first = seen();
    receive(peer(1000), datagram);
    const auto second = seen();
    ASSERT_TRUE(first && second);
    EXPECT_EQ(first->bytes, second->bytes);
    EXPECT_TRUE(commands.empty());
}

TEST_F(Registration, GetsUnavailableWithMaxAgeWithoutARegistry) {
    registry_up = false;
    start_register(peer(1000), "dev-1");
    expect_unavailable(15, 45);
}

TEST_F(Registration, GetsUnavailableWhenTheRegistryDoesNotAnswerInTime) {
    start_register(peer(1000), "dev-1");
    const Command command = take_command();
    advance(6s);
    std::vector<Code> codes;
    while (const auto message = seen()) codes.push_back(message->view.code());
    ASSERT_FALSE(codes.empty());
    EXPECT_EQ(codes.back(), Code::service_unavailable);
    RegistryAnswer late = answer_to(command);
    fill(*late.mutable_registration(), 64, "dev-1", 300);
    core().on_registry_result(late, now);
    EXPECT_EQ(core().registrations(), 0U);
}

TEST_F(Registration, OutcomesOfTheRegistryBecomeCodes) {
    const std::vector<std::pair<RegistryAnswer::Status, Code>> table{
        {RegistryAnswer::STATUS_FORBIDDEN, Code::forbidden},
        {RegistryAnswer::STATUS_INVALID, Code::bad_request},
        {RegistryAnswer::STATUS_UNAVAILABLE, Code::service_unavailable},
    };
    for (const auto& [status, code] : table) {
        start_register(peer(1000), "dev-1");
        core().on_registry_result(answer_to(take_command(), status), now);
        EXPECT_EQ(seen_code(), code) << status;
    }
}

TEST_F(Registration, WithLinksBeyondALimitIsToldTheLimit) {
    start_register(peer(1000), "dev-1");
    RegistryAnswer answer = answer_to(take_command(), RegistryAnswer::STATUS_TOO_LARGE);
    answer.set_size_max(16384);
    core().on_registry_result(answer, now);
    auto message = seen();
    ASSERT_TRUE(message);
    EXPECT_EQ(message->view.code(), Code::request_entity_too_large);
    EXPECT_EQ(message->view.find_uint(coap::OptionNumber::size1), 16384U);

    std::string links = "</1/0>";
    for (std::size_t i = 0; i <= lwm2m::kMaxLinkAttributes; ++i) links += ";a";
    send(peer(1000), Type::confirmable, Code::post, register_options("dev-1"), links);
    message = seen();
    ASSERT_TRUE(message);
    EXPECT_EQ(message->view.code(), Code::request_entity_too_large);
    EXPECT_EQ(message->view.find_uint(coap::OptionNumber::size1), config.request_body_max);
    EXPECT_EQ(metrics.refused[0x8d].value(), 2U);
}

TEST_F(Registration, MoreThanTheBoundGetUnavailable) {
    config.registry.pending_max = 2;
    for (std::uint16_t i = 0; i < 3; ++i) start_register(peer(static_cast<std::uint16_t>(1000 + i)), "dev");
    EXPECT_EQ(commands.size(), 2U);
    EXPECT_EQ(seen_code(), Code::service_unavailable);
}

TEST_F(Registration, SurplusIsDeferredAndLeavesRoomForUpdatesOfOthers) {
    config.shards = 4;
    config.registry.registers_max = 4 * 32;  // begins with half of its share
    const std::string id = register_device(peer(999), "dev-0", 64, 60);
    for (std::uint16_t i = 0; i < 20; ++i) start_register(peer(static_cast<std::uint16_t>(1000 + i)), "dev");
    EXPECT_EQ(commands.size(), 16U);
    std::vector<std::uint64_t> waits;
    while (const auto message = seen()) {
        EXPECT_EQ(message->view.code(), Code::service_unavailable);
        waits.push_back(message->view.find_uint(coap::OptionNumber::max_age).value_or(0));
    }
    EXPECT_EQ(waits, (std::vector<std::uint64_t>{5, 6, 6, 6}));
    EXPECT_EQ(metrics.registers_admitted.value(), 17U);
    EXPECT_EQ(metrics.registers_deferred.value(), 4U);
    advance(200s);  // nobody answered, and the pledge does not cover the next Update any more
    while (seen()) {
    }
    commands.clear();
    for (std::uint16_t i = 0; i < 20; ++i) start_register(peer(static_cast<std::uint16_t>(2000 + i)), "dev");
    while (seen()) {
    }
    commands.clear();
    update(peer(999), id);
    ASSERT_EQ(commands.size(), 1U);
    EXPECT_TRUE(commands[0].has_update());
}

TEST_F(Registration, AfterAnAnswerTheNextOneIsAdmitted) {
    config.registry.registers_max = 16;
    for (std::uint16_t i = 0; i < 17; ++i) start_register(peer(static_cast<std::uint16_t>(1000 + i)), "dev");
    EXPECT_EQ(seen_code(), Code::service_unavailable);
    RegistryAnswer answer = answer_to(take_command());
    fill(*answer.mutable_registration(), 64, "dev", 300);
    core().on_registry_result(answer, now);
    EXPECT_EQ(seen_code(), Code::created);
    start_register(peer(2000), "dev-late");
    EXPECT_FALSE(seen());
    EXPECT_EQ(commands.back().register_().endpoint(), "dev-late");
}

TEST_F(Registration, TenantIsThatOfTheListener) {
    start_register(peer(1000, 1), "dev-1");
    EXPECT_EQ(take_command().register_().tenant(), "other");
}

// RFC 7252 section 5.10: a Uri-Query has at most 255 bytes, so a longer name is the message layer's to refuse.
TEST_F(Registration, WithAnOverlongNameIsABadOption) {
    start_register(peer(1000), std::string(256, 'x'));
    EXPECT_EQ(seen_code(), Code::bad_option);
}

TEST_F(Registration, ExpiresAfterLifetimeAndGrace) {
    register_device(peer(1000), "dev-1", 64, 60);
    advance(69s);
    EXPECT_TRUE(commands.empty());
    advance(3s);
    const Command command = take_command();
    ASSERT_TRUE(command.has_expire());
    EXPECT_EQ(command.expire().device_number(0), 64U);
    EXPECT_EQ(command.expire().epoch(0), 1U);
    EXPECT_EQ(core().registrations(), 1U);
    core().on_registry_result(answer_to(command), now);
    EXPECT_EQ(core().registrations(), 0U);
}

TEST_F(Registration, ExpiryIsToldAgainWhenTheRegistryWasAway) {
    register_device(peer(1000), "dev-1", 64, 60);
    registry_up = false;
    advance(100s);
    EXPECT_EQ(core().registrations(), 1U);
    registry_up = true;
    advance(15s);
    ASSERT_FALSE(commands.empty());
    EXPECT_TRUE(take_command().has_expire());
}

TEST_F(Registration, WithoutLifetimeNeverExpires) {
    const auto id = register_device(peer(1000), "dev-1", 64, 0);
    advance(std::chrono::hours(48), 60s);
    EXPECT_TRUE(commands.empty());
    update(peer(1000), id);
    EXPECT_EQ(seen_code(), Code::changed);
}

TEST_F(Registration, EndsByDeregister) {
    const auto id = register_device(peer(1000), "dev-1", 64);
    send(peer(1000), Type::confirmable, Code::delete_, location_options(id));
    EXPECT_FALSE(seen());
    const Command command = take_command();
    EXPECT_EQ(command.deregister().device_number(), 64U);
    core().on_registry_result(answer_to(command), now);
    EXPECT_EQ(seen_code(), Code::deleted);
    EXPECT_EQ(core().registrations(), 0U);
}

// Who knows the id of another tenant's device must not end its registration, whoever holds the session.
TEST_F(Registration, HeldElsewhereIsEndedOnlyThroughTheListenerOfItsTenant) {
    const auto id = identity::format_registration_id(key, {{64}, 4});
    send(peer(1000, 1), Type::confirmable, Code::delete_, location_options(id));
    const Command command = take_command();
    EXPECT_EQ(command.deregister().tenant(), "other");
    EXPECT_EQ(command.deregister().required_address(), "");
    core().on_registry_result(answer_to(command, RegistryAnswer::STATUS_UNKNOWN), now);
    EXPECT_EQ(seen_code(), Code::not_found);
}

TEST_F(Registration, HeldElsewhereIsEndedOnlyFromItsAddressWhenStrict) {
    config.nosec_rebind = Rebind::strict;
    const auto id = identity::format_registration_id(key, {{64}, 4});
    send(peer(1000), Type::confirmable, Code::delete_, location_options(id));
    EXPECT_EQ(take_command().deregister().required_address(), "127.0.0.1:1000");
    update(peer(1000), id);
    const Command adopt = take_command();
    EXPECT_EQ(adopt.adopt().remote_address(), "127.0.0.1:1000");
    EXPECT_TRUE(adopt.adopt().same_address());
}

TEST_F(Registration, IsRefusedWhileDraining) {
    core().begin_drain(now);
    start_register(peer(1000), "dev-1");
    EXPECT_EQ(seen_code(), Code::service_unavailable);
}

TEST_F(Registration, DrainTellsWhatWasHeard) {
    const auto id = register_device(peer(1000), "dev-1", 64);
    update(peer(1000), id);
    EXPECT_EQ(seen_code(), Code::changed);
    core().begin_drain(now);
    const Command command = take_command();
    ASSERT_TRUE(command.has_touch());
    EXPECT_FALSE(core().drained());
    core().on_registry_result(answer_to(command), now);
    EXPECT_TRUE(core().drained());
}

}  // namespace
}  // namespace lanyard::coap_ingress
