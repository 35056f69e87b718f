#include "redis/client.hpp"
#include "redis_device_store.hpp"
#include "store_contract.inc"
#include "testing/servers.hpp"

namespace lanyard::registry {
namespace {

// One server for all cases; each begins with an empty database.
testing::RedisServer& server() {
    static testing::RedisServer instance("no");
    static const bool started = (instance.start(), true);
    (void)started;
    return instance;
}

std::unique_ptr<DeviceStore> make(Executor executor, const StoreLimits& limits) {
    redis::Config config;
    config.port = server().port();
    auto client = redis::Client::start(config);
    EXPECT_TRUE(redis::call(**client, {"FLUSHALL"}));
    return std::move(*RedisDeviceStore::start(config, std::move(executor), limits));
}

INSTANTIATE_TEST_SUITE_P(Redis, StoreContract, ::testing::Values(StoreBackend{"redis", make}),
                         [](const auto& value) { return std::string(value.param.name); });

}  // namespace
}  // namespace lanyard::registry
