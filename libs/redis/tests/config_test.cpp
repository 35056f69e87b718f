#include "redis/config.hpp"

#include <gtest/gtest.h>

#include "convert.hpp"
#include "redis/client.hpp"
#include "redis/server_keys.hpp"
#include "runtime/config.hpp"

namespace lanyard::redis {
namespace {

TEST(RedisConfig, IsReadFromAConfiguration) {
    Config config;
    runtime::Schema schema;
    runtime::Binder binder = schema.binder();
    bind(binder, config);
    const auto loaded = schema.load({{}, {"LANYARD_REDIS_HOST=r1"}, {"redis.port=6390", "redis.password=hunter2"}});
    ASSERT_TRUE(loaded) << loaded.error().message;
    EXPECT_EQ(config.host, "r1");
    EXPECT_EQ(config.port, 6390);
    EXPECT_EQ(config.password.reveal(), "hunter2");
    EXPECT_FALSE(schema.load({{}, {}, {"redis.database=16"}}));
}

TEST(RedisConfig, AcceptsTheDefaults) {
    EXPECT_TRUE(validate({}));
}

TEST(RedisConfig, SaysWhichValueIsBadAndWhatIsAllowed) {
    const auto result = validate({.port = 0});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Errc::invalid_argument);
    EXPECT_EQ(result.error().message, "port: 0 is not allowed, must be 1..65535");
}

TEST(RedisConfig, RefusesTlsClearly) {
    const auto client = Client::start({.tls = true});
    ASSERT_FALSE(client);
    EXPECT_EQ(client.error().code, Errc::unsupported);
}

TEST(RedisConfig, RefusesAUserWithoutAPassword) {
    EXPECT_FALSE(validate({.username = "lanyard"}));
}

TEST(RedisError, MapsTheServersCodes) {
    EXPECT_EQ(server_error("LOADING Redis is loading the dataset in memory").code, Errc::unavailable);
    EXPECT_EQ(server_error("READONLY You can't write against a read only replica.").code, Errc::unavailable);
    EXPECT_EQ(server_error("OOM command not allowed").code, Errc::resource_exhausted);
    EXPECT_EQ(server_error("NOAUTH Authentication required.").code, Errc::permission_denied);
    EXPECT_EQ(server_error("ERR unknown command").code, Errc::internal);
    EXPECT_EQ(server_error("WRONGTYPE x").message, "redis: WRONGTYPE x");
}

}  // namespace
}  // namespace lanyard::redis
