#include "coap_ingress/service.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#include "downlink_server.hpp"
#include "identity/cluster_key.hpp"
#include "kafka/topic_keeper.hpp"
#include "registry_client.hpp"
#include "rpc/server.hpp"
#include "runtime/socket_address.hpp"
#include "runtime/thread.hpp"
#include "shard.hpp"

namespace lanyard::coap_ingress {
namespace {

using namespace std::chrono_literals;

Config with_shard_count(Config config) {
    if (config.shards == 0) config.shards = runtime::usable_processors();
    return config;
}

std::string instance_name(const Config& config) {
    if (!config.instance.empty()) return config.instance;
    std::array<char, 256> name{};
    if (gethostname(name.data(), name.size() - 1) != 0) return "coap-ingress";
    return name.data();
}

// The service is not ready before the topic is; later outages of Kafka do not touch this.
kafka::TopicKeeper uplink_topic(const Config& config, const runtime::ServiceContext& context) {
    const auto health = context.health.add({.name = "uplink-topic"});
    kafka::TopicPlan plan{.client = config.kafka.client,
                          .manage = config.uplink.manage,
                          .own = {{.name = config.uplink.topic, .partitions = config.uplink.partitions}},
                          .timeout = 3s};
    return {std::move(plan), context.log, health, [health] { health.ok(); }};
}

std::uint64_t random_seed() {
    std::random_device device;
    return (std::uint64_t{device()} << 32) | device();
}

class IngressService final : public runtime::Service {
  public:
    IngressService(Config config, SipKey key, const runtime::ServiceContext& context);
    ~IngressService() override;

    std::string_view name() const override { return "coap-ingress"; }
    Result<void> start() override;
    void drain(runtime::Deadline deadline) override;
    std::vector<runtime::Port> ports() const override { return ports_; }

  private:
    Result<void> make_shards();
    Result<void> start_grpc();
    void warn_if_open(std::string_view what, const Address& address);
    bool route(DownlinkCall& call);
    void deliver(RegistryClient::Delivery&& delivery);
    std::string advertised() const;

    const Config config_;
    const SipKey key_;
    const runtime::ServiceContext context_;
    runtime::HealthBoard::Dependency kafka_;
    runtime::HealthBoard::Dependency sockets_;
    std::unique_ptr<RegistryClient> registry_;
    std::vector<std::unique_ptr<Shard>> shards_;
    std::vector<telemetry::MetricRegistry::Callback> exposed_;
    kafka::TopicKeeper uplink_topic_;
    DownlinkServer downlink_;
    std::unique_ptr<rpc::Server> grpc_;
    std::vector<runtime::Port> ports_;
    std::atomic<bool> running_{false};
};

IngressService::IngressService(Config config, SipKey key, const runtime::ServiceContext& context)
    : config_(with_shard_count(std::move(config))),
      key_(key),
      context_(context),
      kafka_(context.health.add({.name = "kafka"})),
      sockets_(context.health.add({.name = "sockets"})),
      uplink_topic_(uplink_topic(config_, context)),
      downlink_([this](DownlinkCall& call) { return route(call); }) {
    const auto health = context.health.add({.name = "registry"});
    registry_ =
        std::make_unique<RegistryClient>(config_.registry, config_.shards, context.log, health,
                                         [this](RegistryClient::Delivery&& delivery) { deliver(std::move(delivery)); });
}

// Whatever could still call in ends before the shards go.
IngressService::~IngressService() {
    registry_->stop(0ms);
    grpc_.reset();
}

Result<void> IngressService::start() {
    kafka_.ok();  // the shards tell when it is not
    if (auto made = make_shards(); !made) return made;
    if (auto started = start_grpc(); !started) return started;
    for (auto& shard : shards_) {
        if (auto started = shard->start(shards_); !started) return started;
    }
    running_ = true;
    sockets_.ok();
    uplink_topic_.start();
    registry_->start(instance_name(config_), advertised());
    grpc_->set_serving(true);
    return {};
}

Result<void> IngressService::make_shards() {
    std::vector<Address> addresses;
    for (const Listener& listener : config_.listeners) addresses.push_back(listener.address);
    for (std::uint32_t i = 0; i < config_.shards; ++i) {
        shards_.push_back(std::make_unique<Shard>(
            ShardOptions{config_, key_, i, random_seed(), context_.log, registry_->port(i), kafka_, context_.metrics}));
        if (auto bound = shards_.back()->bind(addresses); !bound) return bound;
        auto exposed = expose(context_.metrics, shards_.back()->metrics());
        std::move(exposed.begin(), exposed.end(), std::back_inserter(exposed_));
    }
    for (const Address& address : addresses) {
        warn_if_open("coap", address);
        ports_.push_back({"coap", address});
    }
    return {};
}

Result<void> IngressService::start_grpc() {
    std::array<grpc::Service*, 1> services{&downlink_};
    rpc::ServerConfig server;
    server.listen = config_.downlink.listen;
    auto started = rpc::Server::start(server, services);
    if (!started) return started.error();
    grpc_ = std::move(*started);
    if (const auto address = runtime::parse_address(grpc_->address())) {
        warn_if_open("grpc", *address);
        ports_.push_back({"grpc", *address});
    }
    return {};
}

void IngressService::warn_if_open(std::string_view what, const Address& address) {
    if (runtime::is_loopback(address)) return;
    context_.log.warn("listens beyond loopback without authentication",
                      {{"listener", what}, {"address", runtime::to_string(address)}});
}

std::string IngressService::advertised() const {
    return config_.downlink.advertise.empty() ? grpc_->address() : config_.downlink.advertise;
}

// The hint tells the shard; without one each is asked in turn.
bool IngressService::route(DownlinkCall& call) {
    if (!running_) return false;
    const auto& owner = call.request.owner();
    const bool hinted = call.request.has_owner() && owner.node() == registry_->port(0).node();
    const std::size_t first = hinted ? owner.shard() % shards_.size() : 0;
    RoutedCall routed{std::move(call), static_cast<unsigned>(shards_.size() - 1)};
    if (shards_[first]->post(std::move(routed))) return true;
    call = std::move(routed.call);  // NOLINT(bugprone-use-after-move): post() took nothing
    return false;
}

void IngressService::deliver(RegistryClient::Delivery&& delivery) {
    RegistryNews news{std::move(delivery.results), std::move(delivery.fenced)};
    if (!shards_[delivery.shard]->post(std::move(news))) {
        context_.log.error("shard does not keep up, results of the registry dropped", {{"shard", delivery.shard}});
    }
}

void IngressService::drain(runtime::Deadline deadline) {
    context_.health.set_draining();
    if (grpc_) grpc_->set_serving(false);
    // A second for what comes after the shards.
    const auto shards_until =
        min(deadline, runtime::Deadline::at(deadline.is_never() ? deadline.when() : deadline.when() - 1s));
    if (running_) {
        for (auto& shard : shards_) shard->begin_drain(shards_until);
        for (auto& shard : shards_) {
            if (!shard->join(shards_until)) context_.log.warn("shard did not end in time");
        }
        running_ = false;
    }
    if (!uplink_topic_.stop(deadline)) context_.log.warn("the look for the uplink topic did not end in time");
    registry_->stop(300ms);
    if (grpc_) grpc_->shutdown(300ms);
    exposed_.clear();
}

}  // namespace

Result<std::unique_ptr<runtime::Service>> make_service(const Config& config, const runtime::ServiceContext& context) {
    if (auto good = validate(config); !good) return good.error();
    auto key = identity::parse_cluster_key(config.cluster_key);
    if (!key) return key.error();
    return std::unique_ptr<runtime::Service>(std::make_unique<IngressService>(config, *key, context));
}

}  // namespace lanyard::coap_ingress
