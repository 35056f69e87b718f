#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace lanyard::telemetry {
class MetricRegistry;
}

namespace lanyard::kafka {

// What every client of a cluster needs.
struct ClientConfig {
    std::string bootstrap = "127.0.0.1:9092";  // host:port, comma separated
    std::string client_id = "lanyard";         // seen in the broker's logs and quotas
    // librdkafka properties by name (security.protocol, sasl.*, ssl.*, …); they win over what the adapter sets.
    std::map<std::string, std::string> properties{};
    // Receives librdkafka's own log lines with their syslog severity (3 error … 7 debug); dropped when empty.
    // Called on any thread, also after an object that uses it is being destroyed: capture what lives longer.
    std::function<void(int severity, std::string_view line)> log{};
};

enum class Compression : std::uint8_t { none, lz4, zstd };

// A producer that loses nothing and keeps order per key: idempotent, acks=all, at most 5 requests in flight.
// Partitions as Kafka's Java clients do (murmur2_random), so that joins by key work.
struct ProducerConfig {
    ClientConfig client{};
    Compression compression = Compression::lz4;
    // How long a record may wait for company before it is sent.
    std::chrono::milliseconds linger{5};
    // A record that is not acknowledged by then is reported as failed.
    std::chrono::milliseconds delivery_timeout{10000};
    // Records, and KiB of them, accepted and not yet reported; one more is resource_exhausted.
    std::uint32_t queue_max_messages = 100000;
    std::uint32_t queue_max_kib = 65536;
    // Where lanyard_kafka_* of this producer are shown, if anywhere; must outlive the producer.
    telemetry::MetricRegistry* metrics = nullptr;
};

enum class StartAt : std::uint8_t { earliest, latest };

struct ConsumerConfig {
    ClientConfig client{};
    // The consumer group. Empty for a consumer that is given its partitions (Consumer::assign) and commits
    // nothing.
    std::string group{};
    // Where a group begins that has no committed offset. With assign() every partition names its own, and an
    // offset that is gone is an error instead (ConsumerEvents::on_error, not_found).
    StartAt start_at = StartAt::earliest;
    // Move only the partitions that must move at a rebalance (KIP-429).
    bool cooperative = true;
    std::chrono::milliseconds session_timeout{10000};
    // A consumer that does not poll for longer is put out of its group. For as long a rebalance waits for a member
    // that the broker still counts and that does not come, nobody of the group reading meanwhile (KIP-62): short,
    // as those who poll in a loop can afford. Never less than session_timeout.
    std::chrono::milliseconds poll_interval_max{30000};
    // Read ahead, in KiB over all partitions.
    std::uint32_t prefetch_max_kib = 16384;
};

}  // namespace lanyard::kafka
