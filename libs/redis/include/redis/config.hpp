#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/error.hpp"
#include "base/secret.hpp"

namespace lanyard::telemetry {
class MetricRegistry;
}

namespace lanyard::redis {

// How to reach one Redis server and how long to wait for it.
struct Config {
    std::string host = "127.0.0.1";
    std::uint16_t port = 6379;
    std::string username{};  // empty: AUTH with the password alone
    Secret password{};       // empty: no AUTH
    int database = 0;        // SELECT, 0..15 on a default server
    bool tls = false;        // refused by Client::start: hiredis 0.14 has no TLS

    // Commands accepted and not yet answered, in all; one more is resource_exhausted.
    std::size_t queue_max = 65536;
    // Commands written and not yet answered; the rest waits in the queue.
    std::size_t in_flight_max = 4096;
    std::chrono::milliseconds connect_timeout{2000};
    // The deadline of a command that names none. Counted from the call, waiting in the queue included.
    std::chrono::milliseconds command_timeout{2000};
    // Without a connection for longer than this, commands fail at once with unavailable instead of waiting.
    std::chrono::milliseconds unavailable_after{500};
    // Between two attempts to connect: doubles from min to max, each with a jitter of half of it.
    std::chrono::milliseconds backoff_min{50};
    std::chrono::milliseconds backoff_max{2000};
    // An idle connection is probed with PING this often, so that a silent death is seen.
    std::chrono::milliseconds ping_interval{1000};
    // Where lanyard_redis_* of this client are shown, if anywhere; must outlive the client.
    telemetry::MetricRegistry* metrics = nullptr;
};

// The first rule that the configuration breaks, as "port: 0 is not allowed, must be 1..65535".
[[nodiscard]] Result<void> validate(const Config& config);

}  // namespace lanyard::redis
