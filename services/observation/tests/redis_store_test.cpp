#include <memory>
#include <string>

#include "redis/client.hpp"
#include "store_contract.hpp"
#include "testing/servers.hpp"

namespace lanyard::observation {
namespace {

// One real server for the whole suite; each test begins with an empty database.
struct Server {
    Server() {
        redis.start();
        redis::Config config;
        config.port = redis.port();
        client = std::move(*redis::Client::start(config));
    }
    lanyard::testing::RedisServer redis;
    std::unique_ptr<redis::Client> client;
};

std::shared_ptr<ObservationStore> empty_store() {
    static Server server;
    EXPECT_TRUE(redis::call(*server.client, {"FLUSHALL"}));
    return make_redis_store(*server.client);
}

INSTANTIATE_TEST_SUITE_P(Redis, StoreContract, ::testing::Values(StoreBackend{"redis", empty_store}));

}  // namespace
}  // namespace lanyard::observation
