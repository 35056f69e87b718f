#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/secret.hpp"
#include "base/time.hpp"
#include "kafka/admin.hpp"
#include "kafka/config.hpp"
#include "observation/types.hpp"
#include "redis/config.hpp"

namespace lanyard::runtime {
class Binder;
}

namespace lanyard::observation {

enum class TelemetryFormat : std::uint8_t { json, protobuf };

struct KafkaConfig {
    kafka::ClientConfig client;
    std::string group = "lanyard-observation";
    Duration session_timeout = std::chrono::seconds(6);
    std::string uplink_topic = "lwm2m.uplink.v1";
    std::string lifecycle_topic = "lwm2m.lifecycle.v1";
    std::string telemetry_topic = "lwm2m.telemetry.v1";
    std::string dead_letter_topic = "lwm2m.dead-letter.v1";
    kafka::ManageTopics manage = kafka::ManageTopics::create;
    std::int32_t telemetry_partitions = 12;
    std::int32_t dead_letter_partitions = 3;
    std::int16_t replication = -1;
    kafka::Compression compression = kafka::Compression::lz4;
    Duration linger = std::chrono::milliseconds(5);
    Duration delivery_timeout = std::chrono::seconds(10);
    Duration commit_interval = std::chrono::milliseconds(500);
};

struct UplinkConfig {
    std::size_t batch_max = 1000;       // uplink records taken in one poll
    std::size_t in_flight_max = 50000;  // telemetry records produced and not yet acknowledged
    std::size_t held_max = 10000;       // uplink records waiting for an unknown spec to be looked up
    std::size_t tracked_max = 2000000;  // observations whose freshness is remembered
    Duration latest_interval = std::chrono::seconds(1);
    std::size_t latest_max = 200000;  // devices with latest values not yet written
};

struct ReconcileConfig {
    std::size_t concurrency = 1024;  // devices worked on at once
    std::size_t window = 1000000;    // lifecycle events taken and not yet done
    Duration request_timeout = std::chrono::seconds(30);
    std::uint32_t attempts = 6;  // per device and event
    Duration backoff_min = std::chrono::seconds(1);
    Duration backoff_max = std::chrono::seconds(60);
    Duration revive_delay = std::chrono::seconds(30);  // after an error notification
    std::uint32_t revive_attempts = 3;                 // per observation and registration
    std::uint32_t rollout_rate = 500;                  // devices a second when a template changes
    std::size_t rollout_open_max = 20000;              // devices open at which a rollout waits
    Duration template_refresh = std::chrono::seconds(1);
};

struct StreamConfig {
    std::size_t max = 64;          // StreamValues calls at once
    std::size_t queue_max = 4096;  // values waiting for a slow client
    Duration slow_limit = std::chrono::seconds(30);
    Duration bookmark_interval = std::chrono::seconds(5);
};

// An entry of `templates`: written to the store at start, replacing one of the same id.
struct TemplateEntry {
    std::string tenant = "default";
    std::string id;
    std::string filter;
    std::uint16_t object_id = 0;
    std::vector<std::string> paths;
    std::vector<std::string> attributes;  // "pmin=5"
    std::int32_t accept = -1;             // -1: chosen by the device's formats
};

// Everything an operator sets of this service, with its defaults.
struct Config {
    Address grpc_listen = Address::v4(0x7f000001, 7403);
    Secret cluster_key;  // 32 hex digits
    std::vector<std::string> registry_addresses{"127.0.0.1:7402"};
    redis::Config redis;
    Duration redis_timeout = std::chrono::seconds(2);
    TelemetryFormat format = TelemetryFormat::json;
    KafkaConfig kafka;
    UplinkConfig uplink;
    ReconcileConfig reconcile;
    StreamConfig streams;
    std::vector<TemplateEntry> templates;
};

// Keys: grpc.*, cluster.key, registry.addresses, redis.*, telemetry.format, kafka.*, topics.*, uplink.*,
// reconcile.*, streams.*, templates.
void bind(runtime::Binder& binder, Config& config);
// Across keys; the message begins with the key.
[[nodiscard]] Result<void> validate(const Config& config);

// The templates of the configuration, checked.
[[nodiscard]] Result<std::vector<Template>> config_templates(const Config& config);

}  // namespace lanyard::observation
