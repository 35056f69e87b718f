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

// What is in Redis beside what the store says.
class RedisStore : public StoreContract {
  protected:
    RedisStore() : client_(std::move(*redis::Client::start(config()))) {}
    static redis::Config config() {
        redis::Config config;
        config.port = server().port();
        return config;
    }
    std::int64_t exists(const std::string& key) { return redis::call(*client_, {"EXISTS", key})->integer(); }

    std::unique_ptr<redis::Client> client_;
};

TEST_P(RedisStore, RemovalLeavesNoRecordHash) {
    const auto endpoints = endpoints_of(7, 2);
    for (const std::string& endpoint : endpoints) registered(endpoint);
    expire({{get(endpoints[0])->number, 1}}, kNow + 1);
    const auto remove = [&](const std::string& endpoint) {
        RemoveCommand command{name(endpoint), std::nullopt, kNow + 2};
        return wait<DeviceRecord>(loop_, [&](auto done) { store_->remove(command, std::move(done)); });
    };
    ASSERT_TRUE(remove(endpoints[0]));
    EXPECT_EQ(redis::call(*client_, {"HGET", "dev:{p7}:r:0", "e"})->text(), "") << "the bit goes with its device";
    EXPECT_TRUE(get(endpoints[1])->registered);
    ASSERT_TRUE(remove(endpoints[1]));
    EXPECT_EQ(exists("dev:{p7}:r:0"), 0);
}

TEST_P(RedisStore, ARecordHashWithoutEndsIsGoodToo) {
    const auto endpoints = endpoints_of(7, 3);
    for (const std::string& endpoint : endpoints) registered(endpoint);
    ASSERT_TRUE(redis::call(*client_, {"HDEL", "dev:{p7}:r:0", "e"}));
    EXPECT_TRUE(get(endpoints[0])->registered);
    EXPECT_EQ(registered(endpoints[1]).device.generation, 2U);
    EXPECT_EQ(expire({{get(endpoints[2])->number, 1}}, kNow + 1), 1U);
    EXPECT_FALSE(get(endpoints[2])->registered);
    EXPECT_TRUE(get(endpoints[0])->registered);
}

INSTANTIATE_TEST_SUITE_P(Redis, RedisStore, ::testing::Values(StoreBackend{"redis", make}),
                         [](const auto& value) { return std::string(value.param.name); });

}  // namespace
}  // namespace lanyard::registry
