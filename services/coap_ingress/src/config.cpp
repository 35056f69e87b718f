#include "coap_ingress/config.hpp"

#include <set>
#include <utility>

#include "identity/cluster_key.hpp"
#include "identity/resource_name.hpp"
#include "kafka/client_keys.hpp"

namespace lanyard::coap_ingress {
namespace {

using namespace std::chrono_literals;

void bind_listener(runtime::Binder& binder, Listener& listener) {
    binder.address("address", &listener.address, "UDP address, IPv4 or IPv6; port 0 takes a free one.");
    binder.required_string("tenant", &listener.tenant, "Tenant of every device that registers here.");
}

void bind_registry(runtime::Binder& binder, RegistryConfig& config) {
    binder.string_list("registry.addresses", &config.addresses,
                       "host:port of registry replicas. One healthy one is used at a time.");
    binder.duration("registry.deadline", &config.deadline, {100ms, 60s},
                    "How long a device waits for the registry before it gets 5.03.");
    binder.integer("registry.pending_max", &config.pending_max, {16, 1 << 20},
                   "Commands of one shard that await their result; more get 5.03.");
    binder.integer("registry.adoptions_per_second", &config.adoptions_per_second, {1, 1000000},
                   "Look-ups per second and shard for notifications of devices that this process does not hold.");
    binder.integer("registry.registers_max", &config.registers_max, {16, 1 << 20},
                   "Registers of this process that may await the registry; fewer when it answers slowly.");
    binder.duration("registry.register_answer_time", &config.register_answer_time, {50ms, 60s},
                    "Only so many Registers are passed on that their answers take about this long at most.");
    binder.duration("registry.retry_min", &config.retry_min, {1s, 1h},
                    "The shortest wait (5.03 with Max-Age) of a device whose Register has to come again.");
    binder.duration("registry.retry_max", &config.retry_max, {1s, 24h}, "The longest such wait.");
}

void bind_downlink(runtime::Binder& binder, DownlinkConfig& config) {
    binder.required_string("grpc.listen", &config.listen, "host:port of the internal downlink service.");
    binder.string("grpc.advertise", &config.advertise,
                  "host:port under which registries reach grpc.listen; empty for the bound address.");
    binder.integer("downlink.queue_per_device", &config.queue_per_device, {1, 256},
                   "Requests waiting or outstanding for one device.");
    binder.integer("downlink.pending_max", &config.pending_max, {16, 1 << 20},
                   "Requests waiting or outstanding in one shard.");
    binder.duration("downlink.awake_window", &config.awake_window, {1s, 24h},
                    "How long a device in queue mode listens after it was heard.");
    binder.duration("downlink.timeout_max", &config.timeout_max, {1s, 24h}, "The longest wait for one request.");
}

void bind_kafka(runtime::Binder& binder, Config& config) {
    kafka::bind(binder, config.kafka.client);
    binder.duration("kafka.linger", &config.uplink.linger, {0ms, 1s}, "How long a record may wait for company.");
    binder.duration("kafka.delivery_timeout", &config.uplink.delivery_timeout, {1s, 5min},
                    "A record not acknowledged by then counts as failed: the device repeats it.");
    binder.required_string("topics.uplink", &config.uplink.topic, "Topic of what devices send, written here.");
    binder.integer("topics.uplink_partitions", &config.uplink.partitions, {1, 1000},
                   "Partitions of a topic made here.");
    kafka::bind_manage(binder, config.uplink.manage);
    binder.integer("kafka.queue_max_messages", &config.kafka.queue_max_messages, {100, 10000000},
                   "Records of one shard that await the broker.");
    binder.integer("kafka.queue_max_kib", &config.kafka.queue_max_kib, {1024, 2097151},
                   "The same in KiB; more is answered 5.03, or not acknowledged.");
    binder.integer("uplink.pending_max", &config.uplink.pending_max, {16, 1 << 22},
                   "Messages of one shard that are acknowledged when the broker has acknowledged them.");
    kafka::bind_compression(binder, config.kafka.compression);
}

Error invalid(std::string message) {
    return make_error(Errc::invalid_argument, std::move(message));
}

}  // namespace

void bind(runtime::Binder& binder, Config& config) {
    binder.list("coap.listeners", &config.listeners, bind_listener, "Where devices send CoAP over UDP.");
    binder.integer("coap.shards", &config.shards, {0, 256}, "Threads that serve devices; 0: one per usable processor.");
    binder.boolean("coap.strict_registration", &config.strict_registration,
                   "Refuses a Register without lt or lwm2m and parameters that no specification knows.");
    binder.integer("coap.request_body_max", &config.request_body_max, {1024, 1 << 20},
                   "Longest body of a Register, Update or Send, in bytes.");
    binder.integer("coap.socket_buffer", &config.socket_buffer, {4096, 1 << 30},
                   "Receive and send buffer of each socket, in bytes; the kernel caps it.");
    binder.string("instance", &config.instance, "Stable name of this process; empty: the host name.");
    binder.secret("cluster.key", &config.cluster_key,
                  "32 hex digits, the same in every ingress, registry and observation process: authenticates "
                  "registration ids and observation tokens.");
    binder.enumeration("nosec.rebind", &config.nosec_rebind, {{"token", Rebind::token}, {"strict", Rebind::strict}},
                       "Without security: whether a valid registration id or token moves a registration to the "
                       "address it came from (token), or is refused from a new address (strict).");
    binder.duration("lifetime.grace", &config.lifetime.grace, {0s, 1h},
                    "A registration ends that long after its lifetime.");
    binder.duration("lifetime.touch_interval", &config.lifetime.touch_interval, {1s, 60s},
                    "The longest wait until Updates acknowledged from memory are told to the registry.");
    bind_registry(binder, config.registry);
    bind_downlink(binder, config.downlink);
    bind_kafka(binder, config);
}

kafka::ProducerConfig producer_config_of(const Config& config) {
    kafka::ProducerConfig producer = config.kafka;
    producer.linger = std::chrono::duration_cast<std::chrono::milliseconds>(config.uplink.linger);
    producer.delivery_timeout = std::chrono::duration_cast<std::chrono::milliseconds>(config.uplink.delivery_timeout);
    return producer;
}

Result<void> validate(const Config& config) {
    if (auto kafka = kafka::validate(config.kafka.client); !kafka) return kafka;
    if (auto key = identity::parse_cluster_key(config.cluster_key); !key) return key.error();
    if (config.listeners.empty()) return invalid("coap.listeners: at least one is needed");
    if (config.listeners.size() > 64) return invalid("coap.listeners: at most 64 are taken");
    for (std::size_t i = 0; i < config.listeners.size(); ++i) {
        const auto path = "coap.listeners[" + std::to_string(i) + "]";
        const Listener& listener = config.listeners[i];
        if (auto good = identity::check_tenant(listener.tenant); !good) {
            return invalid(path + ".tenant: " + good.error().message);
        }
        for (std::size_t j = 0; j < i && listener.address.port != 0; ++j) {
            if (config.listeners[j].address == listener.address) return invalid(path + ".address: given twice");
        }
    }
    if (config.registry.addresses.empty()) return invalid("registry.addresses: at least one is needed");
    if (config.registry.retry_max < config.registry.retry_min) {
        return invalid("registry.retry_max: is below registry.retry_min");
    }
    return {};
}

}  // namespace lanyard::coap_ingress
