#include "redis/server_keys.hpp"

#include "runtime/config.hpp"

namespace lanyard::redis {

void bind(runtime::Binder& binder, Config& config) {
    binder.required_string("redis.host", &config.host, "Host of the Redis server.");
    binder.integer("redis.port", &config.port, {1, 65535}, "TCP port of the Redis server.");
    binder.string("redis.username", &config.username, "User for AUTH; empty: the password alone.");
    binder.secret("redis.password", &config.password, "Password for AUTH; empty for none.");
    binder.integer("redis.database", &config.database, {0, 15}, "Number of the database.");
}

}  // namespace lanyard::redis
