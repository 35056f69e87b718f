#include <gtest/gtest.h>

#include "identity/cluster_key.hpp"
#include "identity/device_number.hpp"
#include "identity/event_id.hpp"
#include "identity/observation_token.hpp"
#include "identity/registration_id.hpp"
#include "identity/resource_name.hpp"

namespace lanyard::identity {
namespace {

constexpr SipKey kKey{1, 2, 3};

TEST(ObservationToken, IsReadByAnyoneAndVerifiedByTheKey) {
    const auto bytes = make_observation_token(kKey, {0x01020304}, 0x0506, 7);
    const auto token = parse_observation_token(bytes);
    ASSERT_TRUE(token);
    EXPECT_EQ(token->device.value, 0x01020304u);
    EXPECT_EQ(token->spec, 0x0506);
    EXPECT_TRUE(verify_observation_token(kKey, *token, 7));
}

TEST(ObservationToken, IsVoidAfterANewRegistration) {
    const auto token = parse_observation_token(make_observation_token(kKey, {9}, 1, 7));
    ASSERT_TRUE(token);
    EXPECT_FALSE(verify_observation_token(kKey, *token, 8));
}

TEST(ObservationToken, RefusesOtherLengths) {
    EXPECT_FALSE(parse_observation_token({}));
    EXPECT_FALSE(parse_observation_token(as_bytes("1234567")));
}

TEST(RegistrationId, RoundTrips) {
    const std::string text = format_registration_id(kKey, {{77}, 3});
    EXPECT_EQ(text.size(), kRegistrationIdLength);
    const auto id = parse_registration_id(kKey, text);
    ASSERT_TRUE(id);
    EXPECT_EQ(id->device.value, 77u);
    EXPECT_EQ(id->generation, 3u);
}

TEST(RegistrationId, RefusesEveryChangedLetter) {
    const std::string text = format_registration_id(kKey, {{77}, 3});
    for (std::size_t i = 0; i < text.size(); ++i) {
        std::string changed = text;
        changed[i] = changed[i] == 'a' ? 'b' : 'a';
        EXPECT_FALSE(parse_registration_id(kKey, changed)) << i;
    }
    EXPECT_FALSE(parse_registration_id(kKey, "0"));
}

TEST(ClusterKey, Is32HexDigits) {
    const auto key = parse_cluster_key(Secret("01020300000000000000000000000000"));
    ASSERT_TRUE(key);
    EXPECT_EQ(*key, kKey);
    for (const char* bad : {"", "0102", "0102030000000000000000000000000x", "010203000000000000000000000000000000"}) {
        const auto refused = parse_cluster_key(Secret(bad));
        ASSERT_FALSE(refused) << bad;
        EXPECT_EQ(refused.error().message, "cluster.key: must be 32 hex digits");
    }
}

TEST(EventId, IsTheSameForARetransmissionAndOtherOtherwise) {
    MessageIdentity message{1, 2, 3, 4, as_bytes("tok"), as_bytes("payload")};
    const std::string first = message_event_id(message);
    EXPECT_EQ(first, message_event_id(message));
    std::string again = "something else";
    message_event_id(message, again);
    EXPECT_EQ(first, again);
    EXPECT_EQ(first.size(), 32u);
    message.message_id = 9;
    EXPECT_NE(first, message_event_id(message));
}

TEST(ResourceName, TakesColonsInEndpoints) {
    const auto name = parse_device_name("tenants/acme/devices/urn:imei:356938035643809");
    ASSERT_TRUE(name);
    EXPECT_EQ(name->tenant, "acme");
    EXPECT_EQ(name->endpoint, "urn:imei:356938035643809");
    EXPECT_EQ(parse_device_key(name->key()).value(), *name);
}

TEST(ResourceName, RefusesWhatIsNotAName) {
    EXPECT_FALSE(parse_device_name("tenants/acme"));
    EXPECT_FALSE(parse_device_name("tenants/Acme/devices/x"));
    EXPECT_FALSE(check_endpoint(std::string(256, 'x')));
    EXPECT_FALSE(check_endpoint("a/b"));
    EXPECT_FALSE(check_endpoint("a\x01"));
    EXPECT_FALSE(check_endpoint("\xc0\x80"));
    EXPECT_FALSE(check_endpoint("\xed\xa0\x80"));
    EXPECT_TRUE(check_endpoint("z\xc3\xa4hler"));
}

TEST(DeviceNumber, HoldsItsPartition) {
    const std::uint32_t partition = partition_of("default/sensor-1");
    const DeviceNumber number = DeviceNumber::from(5, partition);
    EXPECT_EQ(number.partition(), partition);
    EXPECT_EQ(number.sequence(), 5u);
}

}  // namespace
}  // namespace lanyard::identity
