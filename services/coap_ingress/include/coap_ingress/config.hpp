#pragma once

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
#include "runtime/config.hpp"

namespace lanyard::coap_ingress {

// One UDP address where devices of one tenant send CoAP.
struct Listener {
    Address address = Address::v4(0x7f000001, 5683);
    std::string tenant = "default";
};

// What happens in NoSec mode to a message from a new address that carries a valid registration id or token.
enum class Rebind : std::uint8_t {
    token,   // the id is the identity: the registration moves to the new address
    strict,  // the address belongs to the identity: refused, the device has to register again
};

struct RegistryConfig {
    // "host:port" of registry replicas; one healthy one is used at a time.
    std::vector<std::string> addresses{"127.0.0.1:7402"};
    // A command not answered by then is answered to the device with 5.03.
    Duration deadline = std::chrono::seconds(5);
    // Commands of one shard that await their result.
    std::size_t pending_max = 16384;
    // Notifications for devices that this process does not hold: look-ups per second and shard.
    std::uint32_t adoptions_per_second = 2000;
    // Admission (docs/adr/0008): Registers of this process that may await their result; fewer when it takes longer than
    // `register_answer_time`. The others get 5.03 with a Max-Age between the bounds.
    std::size_t registers_max = 8192;
    Duration register_answer_time = std::chrono::milliseconds(500);
    Duration retry_min = std::chrono::seconds(5);
    Duration retry_max = std::chrono::minutes(5);
};

struct DownlinkConfig {
    // Where DownlinkService listens, "host:port".
    std::string listen = "127.0.0.1:7401";
    // Where registries reach it; empty: the bound address.
    std::string advertise;
    // Requests waiting or outstanding for one device, and for one shard.
    std::size_t queue_per_device = 8;
    std::size_t pending_max = 65536;
    // A device in queue mode listens for that long after it was heard (Transport 1.1 section 6.5, MAX_TRANSMIT_WAIT).
    Duration awake_window = std::chrono::seconds(93);
    // The longest wait that a request may ask for.
    Duration timeout_max = std::chrono::minutes(10);
};

struct UplinkConfig {
    std::string topic = "lwm2m.uplink.v1";
    std::int32_t partitions = 12;  // of a topic that is made here
    kafka::ManageTopics manage = kafka::ManageTopics::create;
    // Messages of one shard produced and not yet acknowledged by Kafka.
    std::size_t pending_max = 65536;
    // How long a record may wait for company before it is sent.
    Duration linger = std::chrono::milliseconds(5);
    // A record not acknowledged by then counts as failed: the device repeats it.
    Duration delivery_timeout = std::chrono::seconds(10);
};

struct LifetimeConfig {
    // A registration ends that long after its lifetime (conformance R-21).
    Duration grace = std::chrono::seconds(10);
    // The longest wait until Updates acknowledged from memory are told to the registry.
    Duration touch_interval = std::chrono::seconds(30);
};

struct Config {
    std::vector<Listener> listeners{Listener{}};
    // 0: one for each processor that the process may run on.
    unsigned shards = 0;
    // Stable name of this process; empty: the host name.
    std::string instance;
    // 16 bytes as 32 hex digits, the same in every ingress, registry and observation process.
    Secret cluster_key;
    Rebind nosec_rebind = Rebind::token;
    // Refuses what the specifications forbid but devices in the field do (missing lt or lwm2m, unknown parameters).
    bool strict_registration = false;
    // Bodies of Register, Update and Send after block-wise reassembly, in bytes.
    std::size_t request_body_max = 65536;
    // Asked of the kernel for each socket, in bytes.
    std::size_t socket_buffer = std::size_t{4} << 20;
    RegistryConfig registry;
    DownlinkConfig downlink;
    UplinkConfig uplink;
    LifetimeConfig lifetime;
    // Brokers, properties, compression, queue; what `uplink` holds goes before.
    kafka::ProducerConfig kafka;
};

void bind(runtime::Binder& binder, Config& config);
// What bind() cannot check: listeners, tenants, the key. invalid_argument with the key path.
[[nodiscard]] Result<void> validate(const Config& config);
// What each shard's producer is made with.
[[nodiscard]] kafka::ProducerConfig producer_config_of(const Config& config);

}  // namespace lanyard::coap_ingress
