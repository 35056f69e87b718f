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

struct BadRequest {
    std::string name;
    Code method;
    std::string path;
    std::vector<std::string> queries;
    std::optional<std::uint16_t> format;
    std::string payload;
    Code expected;
};
void PrintTo(const BadRequest& request, std::ostream* out) {
    *out << request.name;
}

class Refusal : public ShardTest, public ::testing::WithParamInterface<BadRequest> {};

TEST_P(Refusal, HasTheCodeOfTheTableADiagnosticTextAndACount) {
    const BadRequest& request = GetParam();
    coap::Options options;
    options.path(request.path);
    if (request.format) options.content_format(*request.format);
    for (const auto& query : request.queries) options.query(query);
    send(peer(1000), Type::confirmable, request.method, options, request.payload);
    const auto message = seen();
    ASSERT_TRUE(message);
    EXPECT_EQ(message->view.code(), request.expected) << as_text(message->view.payload());
    EXPECT_FALSE(message->view.payload().empty());
    EXPECT_EQ(metrics.refused[static_cast<std::uint8_t>(request.expected)].value(), 1U);
    EXPECT_TRUE(commands.empty());
}

const std::vector<BadRequest> kBadRequests{
    {"no ep", Code::post, "rd", {"lt=60", "lwm2m=1.1"}, 40, "</1/0>", Code::bad_request},
    {"ep twice", Code::post, "rd", {"ep=a", "ep=b", "lt=60", "lwm2m=1.1"}, 40, "</1/0>", Code::bad_request},
    {"ep longer than an option", Code::post, "rd", {"ep=" + std::string(253, 'x')}, 40, "</1/0>", Code::bad_option},
    {"ep not UTF-8", Code::post, "rd", {"ep=\xff", "lwm2m=1.1"}, 40, "</1/0>", Code::bad_request},
    {"b not UTF-8", Code::post, "rd", {"ep=a", "lwm2m=1.1", "b=U\xff"}, 40, "</1/0>", Code::bad_request},
    {"links not UTF-8", Code::post, "rd", {"ep=a", "lwm2m=1.1"}, 40, "</1/0>;x=\xc3", Code::bad_request},
    {"ep with slash", Code::post, "rd", {"ep=a/b", "lwm2m=1.1"}, 40, "</1/0>", Code::bad_request},
    {"lt no number", Code::post, "rd", {"ep=a", "lt=abc", "lwm2m=1.1"}, 40, "</1/0>", Code::bad_request},
    {"unknown version", Code::post, "rd", {"ep=a", "lwm2m=2.0"}, 40, "</1/0>", Code::precondition_failed},
    {"bad links", Code::post, "rd", {"ep=a", "lwm2m=1.1"}, 40, "</1/0></2/0>", Code::bad_request},
    {"wrong format", Code::post, "rd", {"ep=a", "lwm2m=1.1"}, 0, "</1/0>", Code::unsupported_content_format},
    {"no list in 1.1", Code::post, "rd", {"ep=a", "lwm2m=1.1"}, std::nullopt, "", Code::bad_request},
    {"no list in 1.2", Code::post, "rd", {"ep=a", "lwm2m=1.2"}, std::nullopt, "", Code::conflict},
    {"unknown path", Code::post, "nothing", {}, std::nullopt, "", Code::not_found},
    {"get rd", Code::get, "rd", {}, std::nullopt, "", Code::method_not_allowed},
    {"put update", Code::put, "rd/aaaaaaaaaaaaaaaaaaaaaaaa", {}, std::nullopt, "", Code::method_not_allowed},
    {"forged location", Code::post, "rd/aaaaaaaaaaaaaaaaaaaaaaaa", {}, std::nullopt, "", Code::not_found},
    {"odd location", Code::delete_, "rd/5a3f", {}, std::nullopt, "", Code::not_found},
    {"send from a stranger", Code::post, "dp", {}, 110, "[]", Code::not_found},
    {"send in tlv", Code::post, "dp", {}, 11542, "x", Code::unsupported_content_format},
    {"send in lwm2m cbor", Code::post, "dp", {}, 11544, "x", Code::unsupported_content_format},
};
INSTANTIATE_TEST_SUITE_P(Table, Refusal, ::testing::ValuesIn(kBadRequests));

using Lines = std::vector<std::string>;

TEST_F(Registration, RefusedIsLoggedWithWhoAndWhyOnceForEachCode) {
    start_register(peer(1000), "dev-1", "abc");
    EXPECT_EQ(logged(), (Lines{R"("msg":"request of a device refused","code":"4.00","tenant":"default",)"
                               R"("endpoint":"dev-1","peer":"127.0.0.1:1000",)"
                               R"("detail":"lt: must be a number of seconds below 2^32","suppressed":0})"
                               "\n"}));
    start_register(peer(1001, 1), "dev-2", "abc");
    EXPECT_TRUE(logged().empty());
    start_register(peer(1001, 1), "dev-2");
    core().on_registry_result(answer_to(take_command(), RegistryAnswer::STATUS_FORBIDDEN), now);
    const Lines forbidden = logged();
    ASSERT_EQ(forbidden.size(), 1U);
    EXPECT_NE(forbidden[0].find(R"("code":"4.03","tenant":"other","endpoint":"dev-2","peer":"127.0.0.1:1001")"),
              std::string::npos)
        << forbidden[0];
    advance(11s);
    start_register(peer(1000), "dev-1", "abc");
    const Lines again = logged();
    ASSERT_EQ(again.size(), 1U);
    EXPECT_NE(again[0].find(R"("suppressed":1)"), std::string::npos);
}

TEST_F(Registration, RefusalsOfARegisteredDeviceAreLoggedWithItsName) {
    const auto id = register_device(peer(1000), "dev-1", 64);
    auto options = location_options(id);
    options.query("lt=abc");
    send(peer(1000), Type::confirmable, Code::post, options);
    send(peer(1000), Type::confirmable, Code::get, location_options(id));
    const Lines lines = logged();
    ASSERT_EQ(lines.size(), 2U);
    for (const std::string& line : lines) EXPECT_NE(line.find(R"("endpoint":"dev-1")"), std::string::npos) << line;
}

TEST_F(Registration, DatagramsThatAreNoMessagesAreLoggedOncePerKind) {
    const std::array<std::uint8_t, 4> bad_version{0x80, 1, 0, 1};
    const std::array<std::uint8_t, 4> long_token{0x4f, 1, 0, 1};
    for (int i = 0; i < 3; ++i) {
        receive(peer(1000), bad_version);
        receive(peer(1001), long_token);
    }
    EXPECT_EQ(logged(), (Lines{R"("msg":"datagram is no CoAP message","error":"bad_version",)"
                               R"("peer":"127.0.0.1:1000","suppressed":0})"
                               "\n",
                               R"("msg":"datagram is no CoAP message","error":"token_too_long",)"
                               R"("peer":"127.0.0.1:1001","suppressed":0})"
                               "\n"}));
}

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
