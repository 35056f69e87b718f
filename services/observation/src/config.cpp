#include "observation/config.hpp"

#include <algorithm>
#include <cctype>
#include <string_view>
#include <utility>

#include "identity/cluster_key.hpp"
#include "identity/resource_name.hpp"
#include "kafka/client_keys.hpp"
#include "redis/server_keys.hpp"
#include "runtime/config.hpp"
#include "template_rules.hpp"

namespace lanyard::observation {
namespace {

using namespace std::chrono_literals;

void bind_kafka(runtime::Binder& b, KafkaConfig& c) {
    kafka::bind(b, c.client);
    b.required_string("kafka.group", &c.group,
                      "Consumer group shared by all replicas; .uplink and .lifecycle are appended.");
    b.duration(
        "kafka.session_timeout", &c.session_timeout, {1s, 5min},
        "A replica that is silent for so long loses its partitions to the others. Brokers refuse less than their "
        "group.min.session.timeout.ms, 6 s if not changed.");
    kafka::bind_compression(b, c.compression);
    b.duration("kafka.linger", &c.linger, {0ms, 1s}, "How long a record may wait for company.");
    b.duration("kafka.delivery_timeout", &c.delivery_timeout, {1s, 5min},
               "After this an unacknowledged record counts as failed and its uplink record is read again.");
    b.duration("kafka.commit_interval", &c.commit_interval, {50ms, 1min},
               "How often offsets are committed. A crash repeats at most this much (with the same event ids).");
    b.required_string("topics.uplink", &c.uplink_topic, "Topic that the ingress writes.");
    b.required_string("topics.lifecycle", &c.lifecycle_topic, "Topic that the registry writes.");
    b.required_string("topics.telemetry", &c.telemetry_topic, "Topic of values, written here.");
    b.required_string("topics.dead_letter", &c.dead_letter_topic, "Topic of what cannot be decoded, written here.");
    kafka::bind_manage(b, c.manage);
    b.integer("topics.telemetry_partitions", &c.telemetry_partitions, {1, 1000}, "Partitions of a new topic.");
    b.integer("topics.dead_letter_partitions", &c.dead_letter_partitions, {1, 1000}, "Partitions of a new topic.");
    b.integer("topics.replication", &c.replication, {-1, 10},
              "Replication factor of a new topic; -1 takes the broker's default.");
}

void bind_redis(runtime::Binder& b, Config& c) {
    redis::bind(b, c.redis);
    b.duration("redis.timeout", &c.redis_timeout, {100ms, 1min}, "How long one command may take.");
}

void bind_uplink(runtime::Binder& b, UplinkConfig& c) {
    b.integer("uplink.batch_max", &c.batch_max, {1, 10000}, "Uplink records taken in one poll.");
    b.integer("uplink.in_flight_max", &c.in_flight_max, {100, 1000000},
              "Records produced and not yet acknowledged; reading pauses above it.");
    b.integer("uplink.held_max", &c.held_max, {1, 1000000},
              "Uplink records held while an unknown observation number is looked up; reading pauses above it.");
    b.integer("uplink.tracked_max", &c.tracked_max, {1000, 100000000},
              "Observations whose newest sequence number is remembered (about 32 bytes each); above it all are "
              "forgotten and the next notification of each counts as fresh.");
    b.duration("latest.interval", &c.latest_interval, {100ms, 5min}, "How often latest values are written to Redis.");
    b.integer("latest.max", &c.latest_max, {100, 10000000},
              "Devices with latest values not yet written; above it those of further devices are dropped.");
}

void bind_reconcile(runtime::Binder& b, ReconcileConfig& c) {
    b.integer("reconcile.concurrency", &c.concurrency, {1, 100000}, "Devices worked on at once.");
    b.integer("reconcile.window", &c.window, {1000, 100000000},
              "Lifecycle events taken and not yet done; reading pauses above it.");
    b.duration("reconcile.request_timeout", &c.request_timeout, {1s, 10min}, "How long one request to a device waits.");
    b.integer("reconcile.attempts", &c.attempts, {1, 100},
              "Attempts for a device that cannot be reached, before its next sign of registration is awaited.");
    b.duration("reconcile.backoff_min", &c.backoff_min, {10ms, 1h}, "Wait before the second attempt; doubles.");
    b.duration("reconcile.backoff_max", &c.backoff_max, {10ms, 1h}, "Longest wait between attempts.");
    b.duration("reconcile.revive_delay", &c.revive_delay, {0ms, 1h},
               "Wait before an observation that the device ended with an error is set up again; doubles.");
    b.integer("reconcile.revive_attempts", &c.revive_attempts, {0, 100},
              "How often that is done for one observation; afterwards only at the next Register.");
    b.integer("reconcile.rollout_rate", &c.rollout_rate, {1, 100000},
              "Devices a second that are looked at after a template was made or deleted.");
    b.integer("reconcile.rollout_open_max", &c.rollout_open_max, {1, 10000000},
              "Devices that are worked on or wait for it; above it, changed templates reach no further ones until some "
              "are done.");
    b.duration("reconcile.template_refresh", &c.template_refresh, {100ms, 1min},
               "How often changes of templates by other replicas are looked for.");
}

void bind_streams(runtime::Binder& b, StreamConfig& c) {
    b.integer("streams.max", &c.max, {0, 1000}, "StreamValues calls at once, each with a thread of its own.");
    b.integer("streams.queue_max", &c.queue_max, {16, 1000000}, "Values waiting for a client that reads slowly.");
    b.duration("streams.slow_limit", &c.slow_limit, {100ms, 1h},
               "A client that takes nothing for so long while its queue is full is cut.");
    b.duration("streams.bookmark_interval", &c.bookmark_interval, {100ms, 1h},
               "How often a quiet stream sends a resume token.");
}

void bind_template(runtime::Binder& b, TemplateEntry& c) {
    b.required_string("tenant", &c.tenant, "Tenant whose devices it is for.");
    b.required_string("id", &c.id, "Id within the tenant: [a-z][a-z0-9-]{0,62}.");
    b.string("filter", &c.filter, "AIP-160 filter on endpoint and labels; empty takes all.");
    b.integer("object_id", &c.object_id, {0, 65534}, "Only devices that announce this object; 0 means any.");
    b.string_list("paths", &c.paths, "Paths to observe, with * for each announced instance: /3303/*/5700.");
    b.string_list("attributes", &c.attributes, "Attributes written before observing: pmin=5.");
    b.integer("accept", &c.accept, {-1, 65535}, "Content format to ask for; -1 lets the server choose.");
}

}  // namespace

void bind(runtime::Binder& b, Config& c) {
    b.address("grpc.listen", &c.grpc_listen, "Where ObservationService listens.");
    b.secret("cluster.key", &c.cluster_key,
             "32 hex digits, the same in every ingress, registry and observation process: guards tokens.");
    b.string_list("registry.addresses", &c.registry_addresses,
                  "host:port of the registry replicas; one is used at a time.");
    b.enumeration("telemetry.format", &c.format,
                  {{"json", TelemetryFormat::json}, {"protobuf", TelemetryFormat::protobuf}},
                  "Form of the records in the telemetry topic.");
    bind_redis(b, c);
    bind_kafka(b, c.kafka);
    bind_uplink(b, c.uplink);
    bind_reconcile(b, c.reconcile);
    bind_streams(b, c.streams);
    b.list("templates", &c.templates, bind_template,
           "Observation templates that are written at start, replacing those of the same id.");
}

Result<std::vector<Template>> config_templates(const Config& config) {
    std::vector<Template> out;
    for (std::size_t i = 0; i < config.templates.size(); ++i) {
        const TemplateEntry& entry = config.templates[i];
        const std::string where = "templates[" + std::to_string(i) + "]";
        Template t{entry.tenant, entry.id, entry.filter, entry.object_id, entry.paths, {}, {}};
        if (entry.accept >= 0) t.accept = static_cast<std::uint16_t>(entry.accept);
        for (const std::string& text : entry.attributes) {
            const auto equals = text.find('=');
            t.attributes[text.substr(0, equals)] = equals == std::string::npos ? "" : text.substr(equals + 1);
        }
        if (auto ok = identity::check_tenant(t.tenant); !ok) {
            return make_error(Errc::invalid_argument, where + ".tenant: " + ok.error().message);
        }
        if (auto bad = check_template(t)) {
            return make_error(Errc::invalid_argument, where + "." + bad->field + ": " + bad->description);
        }
        out.push_back(std::move(t));
    }
    return out;
}

Result<void> validate(const Config& config) {
    if (auto key = identity::parse_cluster_key(config.cluster_key); !key) return key.error();
    if (config.registry_addresses.empty()) {
        return make_error(Errc::invalid_argument, "registry.addresses: at least one is needed");
    }
    if (auto kafka = kafka::validate(config.kafka.client); !kafka) return kafka;
    if (config.reconcile.backoff_max < config.reconcile.backoff_min) {
        return make_error(Errc::invalid_argument, "reconcile.backoff_max: must not be below reconcile.backoff_min");
    }
    if (auto redis = redis::validate(config.redis); !redis) {
        return make_error(redis.error().code, "redis." + redis.error().message);
    }
    if (auto templates = config_templates(config); !templates) return templates.error();
    return {};
}

}  // namespace lanyard::observation
