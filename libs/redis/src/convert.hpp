#pragma once

#include "base/error.hpp"
#include "redis/reply.hpp"

struct redisReply;

namespace lanyard::redis {

// Copies a hiredis reply; a top-level error reply becomes an Error (client.hpp says which).
[[nodiscard]] Result<Reply> convert(const redisReply& reply);

// The server's error text, "CODE rest", as an Error.
[[nodiscard]] Error server_error(std::string_view text);

}  // namespace lanyard::redis
