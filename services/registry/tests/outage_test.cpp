// Redis stops and comes back under a running registry.
#include "service_fixture.hpp"
#include "testing/servers.hpp"

namespace lanyard::registry {
namespace {

using internal::v1::RegistrationResult;

TEST(RegistryOutage, RedisDownIsAnsweredQuicklyAndHealsByItself) {
    auto kafka = std::move(*kafka::MockCluster::start());
    ASSERT_TRUE(kafka->create_topic("lwm2m.lifecycle.v1", 2));
    ASSERT_TRUE(kafka->create_topic("lwm2m.device-state.v1", 2));
    lanyard::testing::RedisServer redis("no");
    redis.start();
    telemetry::Logger log("registry", {.level = telemetry::Level::off});
    telemetry::MetricRegistry metrics;
    runtime::HealthBoard health;
    Config config;
    config.grpc_listen.port = 0;
    config.cluster_key = Secret("000102030405060708090a0b0c0d0e0f");
    config.tenants = {{.id = "default", .auto_create = true}};
    config.redis.port = redis.port();
    config.kafka.client.bootstrap = kafka->bootstrap();
    config.topics.manage = kafka::ManageTopics::verify;
    auto service = std::move(*make_service(config, {log, metrics, health}));
    ASSERT_TRUE(service->start());
    FakeIngress ingress("ingress-0", runtime::to_string(service->ports().at(0).address));
    ASSERT_EQ(ingress.register_device("urn:a").status(), RegistrationResult::STATUS_OK);

    redis.stop();
    const auto asked = std::chrono::steady_clock::now();
    EXPECT_EQ(ingress.register_device("urn:b").status(), RegistrationResult::STATUS_UNAVAILABLE);
    EXPECT_LT(std::chrono::steady_clock::now() - asked, 5s);

    redis.start();
    const auto until = std::chrono::steady_clock::now() + kPatience;
    auto status = RegistrationResult::STATUS_UNSPECIFIED;
    while (status != RegistrationResult::STATUS_OK && std::chrono::steady_clock::now() < until) {
        status = ingress.register_device("urn:b").status();
    }
    EXPECT_EQ(status, RegistrationResult::STATUS_OK);
    service->drain(runtime::Deadline::in(10s));
}

}  // namespace
}  // namespace lanyard::registry
