#include "registry/service.hpp"

#include <algorithm>
#include <array>
#include <future>
#include <random>

#include <unistd.h>

#include "device_service.hpp"
#include "device_watch.hpp"
#include "downlink_service.hpp"
#include "expiry_loop.hpp"
#include "identity/cluster_key.hpp"
#include "kafka_event_publisher.hpp"
#include "metrics.hpp"
#include "node_names.hpp"
#include "operation_service.hpp"
#include "outbox_pump.hpp"
#include "partition_leases.hpp"
#include "redis_device_store.hpp"
#include "registration_service.hpp"
#include "registry/memory_device_store.hpp"
#include "rpc/server.hpp"
#include "runtime/clock.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/service.hpp"
#include "runtime/socket_address.hpp"

namespace lanyard::registry {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr Duration kRouterTick = 50ms;
constexpr Duration kSample = 1s;
constexpr Duration kCount = 10s;
constexpr Duration kDropIdleLinks = 30s;
constexpr Duration kHealthTolerance = 5s;
constexpr Duration kServerGrace = 2s;
constexpr Duration kDownlinkGrace = 1s;  // of requests to devices that are in flight at a drain

std::string default_instance() {
    std::array<char, 64> host{};
    gethostname(host.data(), host.size() - 1);
    return std::string(host.data()) + "-" + std::to_string(getpid());
}

// A replica that comes back under its old name must not take its old leases for its own.
std::string lease_owner(const std::string& instance) {
    std::random_device random;
    return instance + "#" + std::to_string(random());
}

class RegistryService final : public runtime::Service {
  public:
    RegistryService(const Config& config, const runtime::ServiceContext& context, Deps deps)
        : config_(config),
          context_(context),
          deps_(std::move(deps)),
          key_(identity::parse_cluster_key(config.cluster_key).value()),
          metrics_(context.metrics),
          loop_("registry"),
          executor_([this](runtime::Task task) { loop_.post(std::move(task)); }),
          try_executor_([this](runtime::Task task) { return loop_.try_post(std::move(task)); }) {
        if (config_.instance.empty()) config_.instance = default_instance();
        config_.redis.command_timeout = std::chrono::duration_cast<milliseconds>(config_.command_deadline);
        config_.redis.metrics = config_.kafka.metrics = &context_.metrics;
        redis_health_ = context_.health.add({.name = "redis", .required = true, .tolerance = kHealthTolerance});
        kafka_health_ = context_.health.add({.name = "kafka"});
    }
    ~RegistryService() override {
        drain(runtime::Deadline::in(kServerGrace));
        // What follows destroys what tasks and callbacks use.
        (void)loop_.stop(runtime::Deadline::never());
        if (links_) links_->close();
        if (store_) store_->stop();
    }

    [[nodiscard]] std::string_view name() const override { return "registry"; }
    [[nodiscard]] Result<void> start() override;
    void drain(runtime::Deadline deadline) override;
    [[nodiscard]] std::vector<runtime::Port> ports() const override {
        if (!server_) return {};
        Address address = config_.grpc_listen;
        address.port = server_->port();
        return {{"grpc", address}};
    }

  private:
    [[nodiscard]] Result<void> open_store();
    [[nodiscard]] Result<void> open_publisher();
    void make_background();
    void make_services();
    void fence(std::uint32_t node, const internal::v1::Fenced& fenced);
    [[nodiscard]] Result<void> open_server();
    void start_timers();
    void sample();
    void count(std::uint32_t partition);
    void count_all();
    void report_store();
    void give_back_leases(runtime::Deadline deadline);

    Config config_;
    const runtime::ServiceContext context_;
    const Deps deps_;
    const SipKey key_;
    Metrics metrics_;
    runtime::HealthBoard::Dependency redis_health_;
    runtime::HealthBoard::Dependency kafka_health_;
    runtime::EventLoop loop_;
    const Executor executor_;
    const TryExecutor try_executor_;
    // Loop only from here on, once it runs. In the order of use: destroyed from the end.
    std::unique_ptr<DeviceStore> store_;
    std::unique_ptr<NodeNames> nodes_;
    std::unique_ptr<KnownDevices> known_;
    std::unique_ptr<KafkaEventPublisher> publisher_;
    std::unique_ptr<OutboxPump> pump_;
    std::unique_ptr<PartitionLeases> leases_;
    std::unique_ptr<ExpiryLoop> expiry_;
    std::unique_ptr<GrpcIngressLinks> links_;
    std::unique_ptr<DownlinkRouter> router_;
    std::unique_ptr<RegistrationHandler> handler_;
    std::unique_ptr<RegistrationService> registration_;
    std::unique_ptr<DownlinkService> downlink_;
    std::unique_ptr<WatchHub> watch_;
    std::unique_ptr<DeviceService> devices_;
    std::unique_ptr<OperationService> operations_;
    std::unique_ptr<rpc::Server> server_;
    std::array<Counts, identity::kPartitions> counts_{};
    bool store_was_up_ = true;
    bool drained_ = false;
};

Result<void> RegistryService::start() {
    if (auto opened = open_store(); !opened) return opened;
    if (auto opened = open_publisher(); !opened) return opened;
    make_background();
    make_services();
    loop_.start();
    start_timers();
    return open_server();
}

Result<void> RegistryService::open_store() {
    auto store = deps_.store ? deps_.store(executor_)
                             : RedisDeviceStore::start(config_.redis, executor_, {config_.outbox.depth_max});
    if (!store) return store.error();
    store_ = std::move(*store);
    nodes_ = std::make_unique<NodeNames>(*store_);
    return {};
}

Result<void> RegistryService::open_publisher() {
    auto publisher = KafkaEventPublisher::start(
        config_, key_, *nodes_, executor_, context_.log, [this](runtime::HealthState state, const std::string& reason) {
            const bool well = state == runtime::HealthState::ok;
            kafka_health_.set(state, well ? "" : reason + "; events wait in the outbox");
        });
    if (!publisher) return publisher.error();
    publisher_ = std::move(*publisher);
    return {};
}

void RegistryService::make_background() {
    const std::string owner = lease_owner(config_.instance);
    pump_ = std::make_unique<OutboxPump>(*store_, *publisher_, config_.outbox, owner, runtime::steady_now,
                                         [this](std::uint32_t partition) { leases_->lose(partition); });
    leases_ = std::make_unique<PartitionLeases>(
        *store_, owner, config_.lease,
        PartitionLeases::Events{.changed =
                                    [this](std::uint32_t partition, bool held) {
                                        pump_->hold(partition, held);
                                        if (held) count(partition);
                                    },
                                .may_release = [this](std::uint32_t partition) { return pump_->idle(partition); }},
        runtime::now);
    expiry_ = std::make_unique<ExpiryLoop>(
        *store_, config_.expiry_batch,
        ExpiryLoop::Events{.holds = [this](std::uint32_t partition) { return leases_->holds(partition); },
                           .expired =
                               [this](std::uint32_t partition, std::size_t ended) {
                                   metrics_.registrations_expired(ended);
                                   pump_->poke(partition);
                               },
                           .now_ms = [] { return runtime::now().wall_ms; }});
}

void RegistryService::make_services() {
    links_ = std::make_unique<GrpcIngressLinks>(context_.log);
    router_ = std::make_unique<DownlinkRouter>(*store_, *links_, config_, executor_, runtime::now);
    known_ = std::make_unique<KnownDevices>(config_.downlink.known_max, config_.downlink.known_for);
    registration_ = std::make_unique<RegistrationService>(*store_, executor_, context_.log);
    const auto changed = [this](std::uint32_t partition) { pump_->poke(partition); };
    handler_ = std::make_unique<RegistrationHandler>(
        *store_, config_, key_,
        RegistrationHandler::Events{
            .changed = changed,
            .fenced = [this](std::uint32_t node, const auto& fenced) { fence(node, fenced); },
            .counted = [this](auto operation, auto result) { metrics_.registration_request(operation, result); },
            .expired = [this](std::size_t ended) { metrics_.registrations_expired(ended); }});
    registration_->set_handler(*handler_);
    downlink_ = std::make_unique<DownlinkService>(executor_);
    downlink_->set_router(*router_);
    watch_ = std::make_unique<WatchHub>(*store_, *nodes_, executor_, config_, key_, context_.log,
                                        [this] { metrics_.watch_cut(); });
    // The owner acknowledges Updates by itself until it hears that the registration is over.
    const auto ended = [this](const DeviceRecord& device) {
        internal::v1::Fenced fenced;
        fenced.set_device_number(device.number.value);
        fenced.set_epoch(device.epoch + 1);
        fence(device.node, fenced);
    };
    devices_ = std::make_unique<DeviceService>(*store_, *nodes_, try_executor_, config_, key_, watch_.get(),
                                               DeviceService::Events{.changed = changed, .ended = ended});
    operations_ = std::make_unique<OperationService>(
        *store_, *router_, *known_, config_,
        [this](auto operation, auto& result, Duration took) { metrics_.operation(operation, result, took); });
}

// An ingress is connected to one replica; those that are not connected here are told over their downlinks.
void RegistryService::fence(std::uint32_t node, const internal::v1::Fenced& fenced) {
    if (registration_->fence(node, fenced)) return;
    router_->fence(node, {fenced.device_number()}, fenced.epoch());
}

Result<void> RegistryService::open_server() {
    rpc::ServerConfig server;
    server.listen = runtime::to_string(config_.grpc_listen);
    server.metrics = &context_.metrics;
    if (!runtime::is_loopback(config_.grpc_listen)) {
        context_.log.warn("gRPC without authentication listens beyond loopback", {{"listen", server.listen}});
    }
    grpc::Service* const services[] = {registration_.get(), downlink_.get(), devices_.get(), operations_.get()};
    auto started = rpc::Server::start(server, services);
    if (!started) return started.error();
    server_ = std::move(*started);
    for (const char* name : {"lanyard.registry.v1.DeviceService", "lanyard.operations.v1.DeviceOperationService",
                             "lanyard.internal.v1.RegistrationService", "lanyard.internal.v1.DownlinkService"}) {
        server_->set_serving(name, true);
    }
    server_->set_serving(true);
    return {};
}

void RegistryService::start_timers() {
    loop_.post([this] { leases_->round(); });
    loop_.every(config_.lease.renew, [this] { leases_->round(); });
    loop_.every(config_.outbox.gather, [this] { pump_->tick(); });
    loop_.every(config_.outbox.poll, [this] { pump_->poll(); });
    loop_.every(config_.expiry_round, [this] { expiry_->round(); });
    loop_.every(kRouterTick, [this] { router_->tick(); });
    loop_.every(kDropIdleLinks, [this] { links_->drop_idle(); });
    loop_.post([this] { sample(); });
    loop_.every(kSample, [this] { sample(); });
    loop_.every(kCount, [this] { count_all(); });
}

void RegistryService::sample() {
    report_store();
    Metrics::Sample out;
    for (std::uint32_t partition = 0; partition < identity::kPartitions; ++partition) {
        if (!leases_->holds(partition)) continue;
        out.registered += static_cast<double>(counts_[partition].registered);
        out.unregistered += static_cast<double>(counts_[partition].devices - counts_[partition].registered);
    }
    out.outbox_depth = static_cast<double>(pump_->depth());
    out.leases = static_cast<double>(leases_->held());
    out.ingress_nodes = static_cast<double>(registration_->connected());
    out.downlinks = static_cast<double>(router_->in_flight());
    out.watches = static_cast<double>(watch_->streams());
    metrics_.sampled(out);
    metrics_.published(pump_->published(), pump_->failures(), pump_->unreadable());
}

void RegistryService::count(std::uint32_t partition) {
    store_->counts(partition, [this, partition](Result<Counts> counts) {
        if (counts) counts_[partition] = *counts;
    });
}

void RegistryService::count_all() {
    for (std::uint32_t partition = 0; partition < identity::kPartitions; ++partition) {
        if (leases_->holds(partition)) count(partition);
    }
}

void RegistryService::report_store() {
    const auto available = store_->available();
    if (available) {
        redis_health_.ok();
        if (!store_was_up_) context_.log.info("the store answers again");
    } else {
        redis_health_.down(available.error().message + "; devices are answered 5.03");
        if (store_was_up_) context_.log.warn("waiting for the store", {{"reason", available.error().message}});
    }
    store_was_up_ = available.has_value();
}

void RegistryService::drain(runtime::Deadline deadline) {
    if (std::exchange(drained_, true)) return;
    context_.health.set_draining();
    if (server_) {
        server_->set_serving(false);
        (void)loop_.run_sync(
            [this] {
                registration_->finish_all();
                downlink_->finish_all();
            },
            deadline);
        watch_->stop();
        loop_.after(kDownlinkGrace, [this] { router_->close(); });
        server_->shutdown(
            std::chrono::duration_cast<milliseconds>(std::min<Duration>(deadline.remaining(), kServerGrace)));
        give_back_leases(deadline);
    }
    if (!loop_.stop(deadline)) context_.log.warn("the event loop did not end in time");
}

void RegistryService::give_back_leases(runtime::Deadline deadline) {
    auto empty = std::make_shared<std::promise<void>>();
    auto done = empty->get_future();
    loop_.post([this, empty] {
        leases_->retire();
        auto timer = std::make_shared<runtime::EventLoop::TimerId>();
        *timer = loop_.every(20ms, [this, empty, timer] {
            leases_->round();
            if (!leases_->gone()) return;
            loop_.cancel(*timer);
            empty->set_value();
        });
    });
    const Duration left = std::min<Duration>(deadline.remaining(), 10s);
    if (done.wait_for(left) != std::future_status::ready) {
        context_.log.warn("partition leases were not given back; they end by themselves", {});
    }
}

}  // namespace

Result<std::unique_ptr<runtime::Service>> make_service(const Config& config, const runtime::ServiceContext& context,
                                                       Deps deps) {
    if (auto valid = validate(config); !valid) return valid.error();
    return std::unique_ptr<runtime::Service>(new RegistryService(config, context, std::move(deps)));
}

StoreFactory memory_store(std::shared_ptr<MemoryDevices> devices) {
    return [devices = std::move(devices)](Executor executor) -> Result<std::unique_ptr<DeviceStore>> {
        return std::unique_ptr<DeviceStore>(new MemoryDeviceStore(devices, std::move(executor)));
    };
}

}  // namespace lanyard::registry
