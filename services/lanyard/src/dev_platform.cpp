#include "dev_platform.hpp"

#include <array>
#include <chrono>
#include <functional>
#include <utility>

#include "api/service.hpp"
#include "coap_ingress/service.hpp"
#include "kafka/mock_cluster.hpp"
#include "observation/service.hpp"
#include "random_key.hpp"
#include "registry/service.hpp"
#include "runtime/admin_http.hpp"
#include "runtime/poller.hpp"
#include "runtime/service.hpp"
#include "runtime/socket_address.hpp"
#include "runtime/tcp_relay.hpp"

namespace lanyard::cli {
namespace {

using namespace std::chrono_literals;

const Address kAnyLoopbackPort = Address::v4(0x7f000001, 0);

constexpr std::array<std::pair<const char*, int>, 5> kTopics{{{"lwm2m.uplink.v1", 4},
                                                              {"lwm2m.telemetry.v1", 4},
                                                              {"lwm2m.lifecycle.v1", 4},
                                                              {"lwm2m.device-state.v1", 4},
                                                              {"lwm2m.dead-letter.v1", 1}}};

Error with_part(const char* part, const Error& error) {
    return make_error(error.code, std::string(part) + ": " + error.message);
}

// A service with what it needs around it.
struct Part {
    Part(std::string name, const telemetry::Logger& base, telemetry::MetricRegistry& metrics)
        : log(base.named(std::move(name))), context{log, metrics, health} {}

    telemetry::Logger log;
    runtime::HealthBoard health;
    runtime::ServiceContext context;
    std::unique_ptr<runtime::Service> service;
};

Address port_named(const runtime::Service& service, std::string_view name) {
    for (const runtime::Port& port : service.ports()) {
        if (port.name == name) return port.address;
    }
    return {};
}

}  // namespace

struct DevPlatform::Impl {
    Impl(const DevOptions& dev_options, const telemetry::Logger& base)
        : options(dev_options),
          log(base),
          registry("registry", base, metrics),
          ingress("coap-ingress", base, metrics),
          observation("observation", base, metrics),
          api("api", base, metrics),
          admin({.bind = dev_options.metrics}, log, metrics) {}

    Result<void> start() {
        const std::array<std::pair<const char*, std::function<Result<void>()>>, 6> steps{
            {{"embedded Kafka", [this] { return start_kafka(); }},
             {"registry", [this] { return start_registry(); }},
             {"coap-ingress", [this] { return start_ingress(); }},
             {"observation", [this] { return start_observation(); }},
             {"api", [this] { return start_api(); }},
             {"metrics", [this] { return start_admin(); }}}};
        for (const auto& [part, step] : steps) {
            if (auto done = step(); !done) return with_part(part, done.error());
        }
        return wait_ready(runtime::Deadline::in(20s));
    }

    Result<void> start_kafka() {
        auto started = kafka::MockCluster::start();
        if (!started) return started.error();
        kafka = std::move(*started);
        for (const auto& [topic, partitions] : kTopics) {
            if (auto made = kafka->create_topic(topic, partitions); !made) return made.error();
        }
        return publish_kafka();
    }

    // The embedded broker listens on a port of its own choice, which clients learn from it; they first meet it here.
    Result<void> publish_kafka() {
        const auto broker = runtime::parse_address(kafka->bootstrap());
        if (!broker) return broker.error();
        auto started = runtime::TcpRelay::start({.listen = options.kafka, .target = *broker});
        if (!started) return started.error();
        kafka_port = std::move(*started);
        endpoints.kafka = runtime::to_string(kafka_port->local());
        return {};
    }

    Result<void> start_registry() {
        registry::Config config;
        config.grpc_listen = kAnyLoopbackPort;
        config.instance = "registry-0";
        config.cluster_key = key;
        config.tenants = {{.id = "default", .auto_create = true}};
        config.kafka.client.bootstrap = kafka->bootstrap();
        config.topics.manage = kafka::ManageTopics::off;
        return run(registry,
                   registry::make_service(config, registry.context,
                                          {.store = registry::memory_store(registry::make_memory_devices())}));
    }

    Result<void> start_ingress() {
        coap_ingress::Config config;
        config.listeners = {{.address = options.coap, .tenant = "default"}};
        config.shards = options.shards;
        config.instance = "ingress-0";
        config.cluster_key = key;
        config.registry.addresses = {registry_address()};
        config.uplink.manage = kafka::ManageTopics::off;
        config.downlink.listen = runtime::to_string(kAnyLoopbackPort);
        config.kafka.client.bootstrap = kafka->bootstrap();
        auto started = run(ingress, coap_ingress::make_service(config, ingress.context));
        if (started) endpoints.coap = port_named(*ingress.service, "coap");
        return started;
    }

    Result<void> start_observation() {
        observation::Config config;
        config.grpc_listen = kAnyLoopbackPort;
        config.cluster_key = key;
        config.registry_addresses = {registry_address()};
        config.kafka.client.bootstrap = kafka->bootstrap();
        config.kafka.manage = kafka::ManageTopics::off;
        if (options.observe_temperature) {
            observation::TemplateEntry temperature;
            temperature.id = "temperature";
            temperature.object_id = 3303;
            temperature.paths = {"/3303/*/5700"};
            config.templates = {temperature};
        }
        observation::Deps deps;
        deps.store = observation::make_memory_store();
        return run(observation, observation::make_service(config, observation.context, std::move(deps)));
    }

    Result<void> start_api() {
        api::Config config;
        config.grpc_listen = options.grpc;
        config.registry_target = registry_address();
        config.observation_target = runtime::to_string(port_named(*observation.service, "grpc"));
        auto started = run(api, api::make_service(config, api.context));
        if (started) endpoints.grpc = port_named(*api.service, "grpc");
        return started;
    }

    Result<void> start_admin() {
        for (Part* part : {&registry, &ingress, &observation, &api}) {
            admin.add_health(std::string(part->service->name()), part->health);
        }
        if (auto started = admin.start(); !started) return started.error();
        endpoints.metrics = admin.local();
        return {};
    }

    static Result<void> run(Part& part, Result<std::unique_ptr<runtime::Service>> made) {
        if (!made) return made.error();
        part.service = std::move(*made);
        return part.service->start();
    }

    std::string registry_address() { return runtime::to_string(port_named(*registry.service, "grpc")); }

    // Readiness is a state that services report, so it is asked for, a few milliseconds apart.
    Result<void> wait_ready(runtime::Deadline deadline) {
        runtime::Poller pause;
        for (Part* part : {&registry, &ingress, &observation, &api}) {
            while (!part->health.ready()) {
                if (deadline.expired()) return make_error(Errc::deadline_exceeded, not_ready(*part));
                (void)pause.wait(5ms);
            }
        }
        return {};
    }

    static std::string not_ready(const Part& part) {
        std::string text = std::string(part.service->name()) + " did not become ready:";
        for (const auto& line : part.health.report().lines) {
            text += " " + line.name + " is " + std::string(to_string(line.state)) + " (" + line.detail + ")";
        }
        return text;
    }

    void stop(runtime::Deadline deadline) {
        for (Part* part : {&api, &observation, &ingress, &registry}) {
            if (part->service) part->service->drain(deadline);
        }
        admin.stop(deadline);
    }

    DevOptions options;
    const telemetry::Logger& log;
    telemetry::MetricRegistry metrics;
    Secret key{random_key_hex()};
    DevEndpoints endpoints;
    std::unique_ptr<kafka::MockCluster> kafka;
    std::unique_ptr<runtime::TcpRelay> kafka_port;
    Part registry;
    Part ingress;
    Part observation;
    Part api;
    runtime::AdminServer admin;
};

DevPlatform::DevPlatform(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
DevPlatform::~DevPlatform() = default;

Result<std::unique_ptr<DevPlatform>> DevPlatform::start(const DevOptions& options, const telemetry::Logger& log) {
    auto impl = std::make_unique<Impl>(options, log);
    if (auto started = impl->start(); !started) {
        impl->stop(runtime::Deadline::in(5s));
        return started.error();
    }
    return std::unique_ptr<DevPlatform>(new DevPlatform(std::move(impl)));
}

const DevEndpoints& DevPlatform::endpoints() const {
    return impl_->endpoints;
}
const telemetry::MetricRegistry& DevPlatform::metrics() const {
    return impl_->metrics;
}
void DevPlatform::stop(runtime::Deadline deadline) {
    impl_->stop(deadline);
}

}  // namespace lanyard::cli
