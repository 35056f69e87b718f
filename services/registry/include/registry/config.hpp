#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"
#include "base/time.hpp"
#include "kafka/admin.hpp"
#include "kafka/config.hpp"
#include "redis/config.hpp"

namespace lanyard::runtime {
class Binder;
}

namespace lanyard::registry {

// What one tenant may do. A tenant that is not listed may do nothing.
struct TenantPolicy {
    std::string id;
    // Unknown endpoints get a device by registering; otherwise they are refused (4.03).
    bool auto_create = false;
    // Longest link list that a registration may bring; a longer one is refused.
    std::uint32_t object_links_max_bytes = 16384;
};

enum class ValueFormat : std::uint8_t { json, protobuf };

// Partition leases: who drains outboxes and expires devices.
struct LeaseConfig {
    Duration ttl = std::chrono::milliseconds(2000);   // a killed replica's partitions are free after it
    Duration renew = std::chrono::milliseconds(500);  // renewal and fair-share round
};

// Publishing of lifecycle events.
struct OutboxConfig {
    Duration poll = std::chrono::milliseconds(250);         // how often the hints of other replicas are read
    Duration gather = std::chrono::milliseconds(20);        // shortest time between two looks at a partition
    std::uint32_t batch_max = 1000;                         // events of one partition in flight, up to 127 more
    std::uint32_t in_flight_max = 20000;                    // of this replica, each partition with batch_max
    Duration retry_after = std::chrono::milliseconds(500);  // pause of a partition after a failed batch
    std::uint32_t depth_max = 32768;                        // elements of one partition's outbox
};

// Deletions stay this long in the compacted device-state topic (delete.retention.ms): a watch that was interrupted for
// longer begins anew.
inline constexpr std::chrono::milliseconds kTombstonesKept = std::chrono::hours(24);

struct TopicConfig {
    std::string lifecycle = "lwm2m.lifecycle.v1";
    std::string device_state = "lwm2m.device-state.v1";
    std::int32_t partitions = 6;
    kafka::ManageTopics manage = kafka::ManageTopics::create;
};

// WatchDevices.
struct WatchConfig {
    std::uint32_t streams_max = 64;                     // per replica; one more is RESOURCE_EXHAUSTED
    Duration write_deadline = std::chrono::seconds(5);  // a client that takes longer to read one message is cut
    Duration bookmark = std::chrono::seconds(10);       // a fresh resume token at least this often
};

// DeviceOperationService and the downlink router.
struct DownlinkConfig {
    Duration default_timeout = std::chrono::seconds(30);
    Duration max_timeout = std::chrono::minutes(5);
    std::uint32_t in_flight_max = 20000;  // requests to devices that wait for their answer
    // Devices that were looked up and are not looked up again: 50 to 100 bytes each, and for how long.
    std::uint32_t known_max = 1048576;
    Duration known_for = std::chrono::minutes(10);
};

// Configuration of the registry. bind() documents the keys.
struct Config {
    Address grpc_listen = Address::v4(0x7f000001, 7402);
    std::string instance;  // name of this replica; empty: host name and process id
    Secret cluster_key;    // 32 hex digits, the same in every ingress, registry and observation process
    std::vector<TenantPolicy> tenants{TenantPolicy{.id = "default"}};
    redis::Config redis;
    kafka::ProducerConfig kafka;
    // Longer than that of values: nobody waits for an event, and a broker pays for batches more than for records.
    Duration kafka_linger = std::chrono::milliseconds(25);
    TopicConfig topics;
    ValueFormat value_format = ValueFormat::json;
    LeaseConfig lease;
    OutboxConfig outbox;
    WatchConfig watch;
    DownlinkConfig downlink;
    Duration expiry_round = std::chrono::milliseconds(250);  // how often due devices are looked for
    std::uint32_t expiry_batch = 512;                        // devices of one script call
    Duration awake_window = std::chrono::seconds(93);        // queue mode: awake this long after a sign of life
    Duration command_deadline = std::chrono::seconds(2);     // of one registration command; then UNAVAILABLE
    std::uint32_t commands_max = 65536;                      // registration commands in hand; then UNAVAILABLE
};

void bind(runtime::Binder& binder, Config& config);
// Rules across keys. The message names the key path.
[[nodiscard]] Result<void> validate(const Config& config);

}  // namespace lanyard::registry
