#include "coap_ingress/config.hpp"

#include <gtest/gtest.h>

namespace lanyard::coap_ingress {
namespace {

Config good() {
    Config config;
    config.cluster_key = Secret("000102030405060708090a0b0c0d0e0f");
    return config;
}

std::string refusal_of(const Config& config) {
    const auto result = validate(config);
    return result ? "" : result.error().message;
}

TEST(Config, DefaultsWithAKeyAreValidAndOnLoopback) {
    EXPECT_EQ(refusal_of(good()), "");
    EXPECT_EQ(good().listeners.at(0).address, Address::v4(0x7f000001, 5683));
    EXPECT_EQ(good().downlink.listen, "127.0.0.1:7401");
}

TEST(Config, RefusalsNameTheKey) {
    Config key = good();
    key.cluster_key = Secret("abcd");
    EXPECT_NE(refusal_of(key).find("cluster.key"), std::string::npos);
    Config tenant = good();
    tenant.listeners[0].tenant = "No Tenant";
    EXPECT_NE(refusal_of(tenant).find("coap.listeners[0].tenant"), std::string::npos);
    Config twice = good();
    twice.listeners.push_back(twice.listeners[0]);
    EXPECT_NE(refusal_of(twice).find("coap.listeners[1].address"), std::string::npos);
    Config none = good();
    none.listeners.clear();
    EXPECT_NE(refusal_of(none).find("coap.listeners"), std::string::npos);
}

TEST(Config, EveryKeyIsBoundAndLoadsFromTheEnvironment) {
    Config config;
    runtime::Schema schema;
    runtime::Binder binder = schema.binder();
    bind(binder, config);
    const auto loaded =
        schema.load({{},
                     {"LANYARD_NOSEC_REBIND=strict", "LANYARD_KAFKA_BOOTSTRAP=10.0.0.1:9092"},
                     {"coap.listeners=[{address: '[::1]:5683', tenant: acme}]", "downlink.queue_per_device=4"}});
    ASSERT_TRUE(loaded) << loaded.error().message;
    EXPECT_EQ(config.nosec_rebind, Rebind::strict);
    EXPECT_EQ(config.kafka.client.bootstrap, "10.0.0.1:9092");
    EXPECT_EQ(config.listeners.at(0).tenant, "acme");
    EXPECT_EQ(config.downlink.queue_per_device, 4U);
}

}  // namespace
}  // namespace lanyard::coap_ingress
