#include "observation/service.hpp"

#include <array>
#include <atomic>
#include <utility>

#include "client_config.hpp"
#include "control.hpp"
#include "grpc_service.hpp"
#include "identity/cluster_key.hpp"
#include "kafka/topic_keeper.hpp"
#include "lifecycle_worker.hpp"
#include "metrics.hpp"
#include "redis/client.hpp"
#include "registry_directory.hpp"
#include "registry_downlink.hpp"
#include "rpc/server.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/socket_address.hpp"
#include "uplink_worker.hpp"
#include "value_streams.hpp"

namespace lanyard::observation {
namespace {

using namespace std::chrono_literals;

// The share of the drain that gRPC calls get before they are cancelled.
constexpr Duration kCallGrace = 2s;

class LoopScheduler final : public Scheduler {
  public:
    explicit LoopScheduler(runtime::EventLoop& loop) : loop_(loop) {}
    void post(std::function<void()> task) override { loop_.post(std::move(task)); }
    void after(Duration delay, std::function<void()> task) override { (void)loop_.after(delay, std::move(task)); }

  private:
    runtime::EventLoop& loop_;
};

class ObservationServiceImpl final : public runtime::Service {
  public:
    ObservationServiceImpl(Config config, SipKey key, std::vector<Template> defaults, Deps deps,
                           const runtime::ServiceContext& context)
        : config_(std::move(config)),
          key_(key),
          defaults_(std::move(defaults)),
          deps_(std::move(deps)),
          context_(context),
          metrics_(context.metrics),
          kafka_(context.health.add({.name = "kafka"})),
          redis_health_(context.health.add({.name = "redis", .required = false, .tolerance = {}})),
          registry_health_(context.health.add({.name = "registry", .required = false, .tolerance = {}})) {}
    ~ObservationServiceImpl() override { drain(runtime::Deadline::in(Duration::zero())); }

    [[nodiscard]] std::string_view name() const override { return "observation"; }
    [[nodiscard]] Result<void> start() override;
    void drain(runtime::Deadline deadline) override;
    [[nodiscard]] std::vector<runtime::Port> ports() const override { return ports_; }

  private:
    [[nodiscard]] Result<void> make_store();
    void make_registry_clients();
    void make_workers();
    [[nodiscard]] Result<void> start_grpc();
    // Lifecycle is read when its topics and the templates are there.
    void topics_ready();
    void templates_ready();

    Config config_;
    SipKey key_;
    std::vector<Template> defaults_;
    Deps deps_;
    runtime::ServiceContext context_;
    Metrics metrics_;
    runtime::HealthBoard::Dependency kafka_;
    runtime::HealthBoard::Dependency redis_health_;
    runtime::HealthBoard::Dependency registry_health_;
    SpecTable specs_;
    runtime::EventLoop loop_{"obs-control"};
    LoopScheduler scheduler_{loop_};
    // Destroyed in reverse: what uses comes after what is used.
    std::unique_ptr<redis::Client> redis_;
    std::shared_ptr<ObservationStore> store_;
    std::shared_ptr<RegistryDownlink> own_downlink_;
    std::shared_ptr<Downlink> downlink_;
    std::shared_ptr<DeviceDirectory> directory_;
    std::unique_ptr<Control> control_;
    std::unique_ptr<UplinkWorker> uplink_;
    std::unique_ptr<LifecycleWorker> lifecycle_;
    std::unique_ptr<kafka::TopicKeeper> topics_;
    std::unique_ptr<ValueStreams> streams_;
    std::unique_ptr<GrpcService> grpc_;
    std::unique_ptr<rpc::Server> server_;
    std::vector<runtime::Port> ports_;
    std::atomic<int> missing_for_lifecycle_{2};
    bool started_ = false;
    bool drained_ = false;
};

Result<void> ObservationServiceImpl::make_store() {
    store_ = deps_.store;
    if (store_ != nullptr) return {};
    redis::Config config = config_.redis;
    config.command_timeout = std::chrono::duration_cast<std::chrono::milliseconds>(config_.redis_timeout);
    config.metrics = &context_.metrics;
    auto client = redis::Client::start(std::move(config));
    if (!client) return client.error();
    redis_ = std::move(*client);
    store_ = make_redis_store(*redis_);
    return {};
}

void ObservationServiceImpl::make_registry_clients() {
    const auto addresses = deps_.registry_addresses ? deps_.registry_addresses() : config_.registry_addresses;
    downlink_ = deps_.downlink;
    if (downlink_ == nullptr) {
        own_downlink_ = std::make_shared<RegistryDownlink>(addresses, scheduler_, registry_health_);
        downlink_ = own_downlink_;
    } else {
        registry_health_.ok();
    }
    directory_ = deps_.directory != nullptr ? deps_.directory : std::make_shared<RegistryDirectory>(addresses);
}

void ObservationServiceImpl::make_workers() {
    control_ = std::make_unique<Control>(Control::Deps{
        scheduler_, *downlink_, *directory_, *store_, specs_, metrics_, context_.log, redis_health_, config_.reconcile,
        key_, defaults_, [this](InitialValue value) { return uplink_->submit(std::move(value)); },
        [this] { uplink_->specs_changed(); }, [this] { templates_ready(); }});
    uplink_ =
        std::make_unique<UplinkWorker>(UplinkWorker::Shared{config_, specs_, *store_, metrics_, context_.log, kafka_},
                                       UplinkEvents{[this](EndedObservation ended, std::function<void()> kept) {
                                                        control_->ended(std::move(ended), std::move(kept));
                                                    },
                                                    [this] { control_->load_specs(); }});
    lifecycle_ = std::make_unique<LifecycleWorker>(config_, metrics_, context_.log,
                                                   [this](LifecycleEvent event, std::function<void()> done) {
                                                       control_->lifecycle(std::move(event), std::move(done));
                                                   });
    topics_ =
        std::make_unique<kafka::TopicKeeper>(topic_plan(config_), context_.log, kafka_, [this] { topics_ready(); });
    streams_ = std::make_unique<ValueStreams>(config_, key_, metrics_, context_.log);
}

void ObservationServiceImpl::topics_ready() {
    uplink_->begin();
    if (--missing_for_lifecycle_ == 0) lifecycle_->begin();
}

void ObservationServiceImpl::templates_ready() {
    if (--missing_for_lifecycle_ == 0) lifecycle_->begin();
}

Result<void> ObservationServiceImpl::start_grpc() {
    grpc_ = std::make_unique<GrpcService>(
        GrpcService::Deps{*store_, *directory_, *control_, specs_, *streams_, config_.streams, key_});
    rpc::ServerConfig server;
    server.listen = runtime::to_string(config_.grpc_listen);
    server.metrics = &context_.metrics;
    const std::array<grpc::Service*, 1> services{grpc_.get()};
    auto started = rpc::Server::start(server, services);
    if (!started) return started.error();
    server_ = std::move(*started);
    Address bound = config_.grpc_listen;
    bound.port = server_->port();
    ports_.push_back({"grpc", bound});
    server_->set_serving("lanyard.observation.v1.ObservationService", true);
    server_->set_serving(true);
    return {};
}

Result<void> ObservationServiceImpl::start() {
    started_ = true;
    if (auto made = make_store(); !made) return made;
    loop_.start();
    make_registry_clients();
    make_workers();
    if (auto started = uplink_->start(); !started) return started;
    if (auto started = lifecycle_->start(); !started) return started;
    if (auto started = start_grpc(); !started) return started;
    control_->start();
    topics_->start();
    return {};
}

// In the order of the flow: nothing new comes in, what was read is finished and committed, then the clients go.
void ObservationServiceImpl::drain(runtime::Deadline deadline) {
    if (!started_ || std::exchange(drained_, true)) return;
    context_.health.set_draining();
    if (server_ != nullptr) server_->set_serving(false);
    if (topics_ != nullptr) (void)topics_->stop(deadline);
    if (streams_ != nullptr) streams_->stop(deadline);
    if (lifecycle_ != nullptr && !lifecycle_->stop(deadline)) {
        context_.log.warn("lifecycle reader did not end in time");
    }
    if (server_ != nullptr) {
        const Duration grace = std::min<Duration>(kCallGrace, deadline.remaining());
        server_->shutdown(std::chrono::duration_cast<std::chrono::milliseconds>(grace));
    }
    if (control_ != nullptr) (void)loop_.run_sync([this] { control_->stop(); }, deadline);
    if (uplink_ != nullptr && !uplink_->stop(deadline)) {
        context_.log.warn("uplink was left unfinished; another replica reads it again");
    }
    if (own_downlink_ != nullptr) own_downlink_->stop();
    (void)loop_.stop(deadline);
    if (redis_ != nullptr) redis_->stop(100ms);
}

}  // namespace

Result<std::unique_ptr<runtime::Service>> make_service(const Config& config, const runtime::ServiceContext& context,
                                                       Deps deps) {
    auto key = identity::parse_cluster_key(config.cluster_key);
    if (!key) return key.error();
    auto defaults = config_templates(config);
    if (!defaults) return defaults.error();
    return std::unique_ptr<runtime::Service>(
        std::make_unique<ObservationServiceImpl>(config, *key, std::move(*defaults), std::move(deps), context));
}

}  // namespace lanyard::observation
