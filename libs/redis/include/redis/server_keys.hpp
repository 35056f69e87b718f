#pragma once

#include "redis/config.hpp"

namespace lanyard::runtime {
class Binder;
}

namespace lanyard::redis {

// redis.host, port, username, password and database, the same in every service.
void bind(runtime::Binder& binder, Config& config);

}  // namespace lanyard::redis
