#include "redis/config.hpp"

namespace lanyard::redis {

Result<void> validate(const Config& config) {
    const auto bad = [](const char* what) { return make_error(Errc::invalid_argument, what); };
    if (config.host.empty()) return bad("host: must not be empty");
    if (config.port == 0) return bad("port: 0 is not allowed, must be 1..65535");
    if (config.tls) {
        return make_error(Errc::unsupported, "tls: this build has no TLS for Redis; use a TLS tunnel or tls: false");
    }
    if (config.database < 0) return bad("database: must be 0 or more");
    if (!config.username.empty() && config.password.empty()) return bad("password: required when username is set");
    if (config.queue_max == 0) return bad("queue_max: must be at least 1");
    if (config.in_flight_max == 0) return bad("in_flight_max: must be at least 1");
    if (config.connect_timeout.count() <= 0) return bad("connect_timeout: must be positive");
    if (config.command_timeout.count() <= 0) return bad("command_timeout: must be positive");
    if (config.unavailable_after.count() < 0) return bad("unavailable_after: must not be negative");
    if (config.backoff_min.count() <= 0) return bad("backoff_min: must be positive");
    if (config.backoff_max < config.backoff_min) return bad("backoff_max: must not be below backoff_min");
    if (config.ping_interval.count() <= 0) return bad("ping_interval: must be positive");
    return {};
}

}  // namespace lanyard::redis
