#include "registry/config.hpp"

#include <set>

#include "identity/cluster_key.hpp"
#include "identity/resource_name.hpp"
#include "kafka/client_keys.hpp"
#include "redis/server_keys.hpp"
#include "runtime/config.hpp"

namespace lanyard::registry {
namespace {

using namespace std::chrono_literals;

void bind_tenant(runtime::Binder& b, TenantPolicy& tenant) {
    b.required_string("id", &tenant.id, "Tenant id, [a-z][a-z0-9-]{0,62}.");
    b.boolean("auto_create", &tenant.auto_create,
              "Whether an unknown endpoint gets a device by registering. Off: it is answered 4.03.");
    b.integer("object_links_max_bytes", &tenant.object_links_max_bytes, {64, 65536},
              "Longest link list that a registration may bring, in bytes.");
}

void bind_redis(runtime::Binder& b, redis::Config& redis) {
    redis::bind(b, redis);
    b.integer("redis.queue_max", &redis.queue_max, {64, 1000000}, "Commands that may wait for an answer.");
}

void bind_kafka(runtime::Binder& b, Config& c) {
    kafka::bind(b, c.kafka.client);
    b.enumeration("kafka.value_format", &c.value_format,
                  {{"json", ValueFormat::json}, {"protobuf", ValueFormat::protobuf}},
                  "Format of lifecycle and device-state values.");
    b.duration("kafka.linger", &c.kafka_linger, {0ms, 1s}, "How long a record may wait for company.");
    b.required_string("topics.lifecycle", &c.topics.lifecycle, "Topic of lifecycle events.");
    b.required_string("topics.device_state", &c.topics.device_state, "Compacted topic of the latest device states.");
    b.integer("topics.partitions", &c.topics.partitions, {1, 1000}, "Partitions of a topic that is created.");
    kafka::bind_manage(b, c.topics.manage);
}

void bind_background(runtime::Binder& b, Config& c) {
    b.duration("lease.ttl", &c.lease.ttl, {500ms, 1min},
               "Partition leases last this long; a killed replica's partitions are taken over after it.");
    b.duration("lease.renew", &c.lease.renew, {50ms, 20s}, "How often leases are renewed; below a third of lease.ttl.");
    b.duration("outbox.poll", &c.outbox.poll, {10ms, 10s},
               "How often hints of other replicas at events to publish are read.");
    b.duration("outbox.gather", &c.outbox.gather, {1ms, 1s},
               "Under load the events of a partition are collected for so long and published together.");
    b.integer("outbox.batch_max", &c.outbox.batch_max, {1, 5000},
              "Events of one partition that are read at a time and in flight to Kafka; up to 127 more, "
              "as the events of one call stay together.");
    b.integer("outbox.in_flight_max", &c.outbox.in_flight_max, {1, 50000},
              "Events in flight to Kafka in all, each partition with outbox.batch_max.");
    b.integer(
        "outbox.depth_max", &c.outbox.depth_max, {1000, 10000000},
        "Elements of the outbox of one partition, of which there are 64, that may wait for Kafka in Redis: its events "
        "and a few more. Above it a Register "
        "and an Update with news are answered 5.03.");
    b.duration("outbox.retry_after", &c.outbox.retry_after, {10ms, 1min},
               "Pause of a partition whose events were not delivered.");
    b.duration("expiry.round", &c.expiry_round, {50ms, 1min}, "How often registrations that are due are looked for.");
    b.integer("expiry.batch", &c.expiry_batch, {16, 4096}, "Devices looked at in one script call.");
}

void bind_calls(runtime::Binder& b, Config& c) {
    b.duration("registration.deadline", &c.command_deadline, {100ms, 30s},
               "How long a registration command may wait for Redis; then the device is answered 5.03.");
    b.integer("registration.commands_max", &c.commands_max, {256, 1000000},
              "Registration commands in hand; more are answered 5.03.");
    b.duration("queue_mode.awake_window", &c.awake_window, {1s, 1h},
               "A queue-mode device counts as awake this long after its last sign of life.");
    b.integer("watch.streams_max", &c.watch.streams_max, {1, 1024}, "WatchDevices streams at a time.");
    b.duration("watch.write_deadline", &c.watch.write_deadline, {100ms, 1min},
               "A watching client that needs longer to take one message is cut with RESOURCE_EXHAUSTED.");
    b.duration("watch.bookmark", &c.watch.bookmark, {100ms, 10min}, "Longest time between two resume tokens.");
    b.duration("downlink.default_timeout", &c.downlink.default_timeout, {1s, 5min},
               "How long a device is waited for when the caller sets no deadline.");
    b.duration("downlink.max_timeout", &c.downlink.max_timeout, {1s, 1h}, "Longest time that a device is waited for.");
    b.integer("downlink.in_flight_max", &c.downlink.in_flight_max, {1, 1000000},
              "Requests to devices that wait for their answer; more are refused.");
    b.integer("downlink.known_max", &c.downlink.known_max, {0, 67108864},
              "Devices that a request reaches without a look-up in Redis; 50 to 100 bytes each. 0: always look up.");
    b.duration("downlink.known_for", &c.downlink.known_for, {1s, 24h},
               "How long after it was looked up a device counts as known.");
}

}  // namespace

void bind(runtime::Binder& b, Config& c) {
    b.address("grpc.listen", &c.grpc_listen, "Where gRPC is served.");
    b.string("instance", &c.instance, "Name of this replica; empty: host name and process id.");
    b.secret("cluster.key", &c.cluster_key,
             "Key of registration ids and tokens: 32 hex digits, the same in every ingress, registry and observation "
             "process.");
    b.list("tenants", &c.tenants, bind_tenant, "One entry per tenant; others are refused.");
    bind_redis(b, c.redis);
    bind_kafka(b, c);
    bind_background(b, c);
    bind_calls(b, c);
}

Result<void> validate(const Config& c) {
    const auto bad = [](std::string text) { return make_error(Errc::invalid_argument, std::move(text)); };
    if (const auto key = identity::parse_cluster_key(c.cluster_key); !key) return key.error();
    if (c.tenants.empty()) return bad("tenants: at least one is needed");
    std::set<std::string> ids;
    for (const TenantPolicy& tenant : c.tenants) {
        if (const auto ok = identity::check_tenant(tenant.id); !ok) return bad("tenants.id: " + ok.error().message);
        if (!ids.insert(tenant.id).second) return bad("tenants.id: \"" + tenant.id + "\" is there twice");
    }
    if (c.lease.renew * 3 > c.lease.ttl) return bad("lease.renew: must be at most a third of lease.ttl");
    if (c.outbox.batch_max > c.outbox.in_flight_max) {
        return bad("outbox.batch_max: must not exceed outbox.in_flight_max");
    }
    if (auto kafka = kafka::validate(c.kafka.client); !kafka) return kafka;
    return redis::validate(c.redis);
}

}  // namespace lanyard::registry
