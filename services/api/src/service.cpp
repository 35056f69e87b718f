#include "api/service.hpp"

#include <array>
#include <chrono>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <google/protobuf/descriptor.h>
#include <grpcpp/channel.h>

#include "lanyard/observation/v1/observation.pb.h"
#include "lanyard/operations/v1/operation.pb.h"
#include "lanyard/registry/v1/device.pb.h"
#include "reflection.hpp"
#include "rpc/call_metrics.hpp"
#include "rpc/server.hpp"
#include "runtime/clock.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/socket_address.hpp"
#include "stream_proxy.hpp"
#include "unary_proxy.hpp"

namespace lanyard::api {
namespace {

using namespace std::chrono_literals;

// So much of a stream waits here for a user who does not read; the rest stays with the service, which cuts it. Enough
// for 128 MiB/s at a millisecond between the two.
constexpr std::size_t kStreamWindow = std::size_t{128} << 10;

// A service behind the front door.
struct Backend {
    std::string name;
    std::string target;
    std::vector<std::string> services;  // full names
    std::shared_ptr<grpc::Channel> channel;
    runtime::HealthBoard::Dependency health;
};

// The services defined in the same files as these messages. Asking a message for its descriptor also links the file in,
// so that reflection finds it.
std::vector<std::string> services_of(std::initializer_list<const google::protobuf::Descriptor*> messages) {
    std::vector<std::string> names;
    for (const auto* message : messages) {
        for (int i = 0; i < message->file()->service_count(); ++i) {
            names.push_back(message->file()->service(i)->full_name());
        }
    }
    return names;
}

std::vector<Backend> make_backends(const Config& config, runtime::HealthBoard& board) {
    rpc::ChannelConfig channel;
    channel.stream_window_bytes = kStreamWindow;
    std::vector<Backend> backends(2);
    backends[0].name = "registry";
    backends[0].target = config.registry_target;
    backends[0].services = services_of({registry::v1::Device::descriptor(), operations::v1::Node::descriptor()});
    backends[1].name = "observation";
    backends[1].target = config.observation_target;
    backends[1].services = services_of({observation::v1::Observation::descriptor()});
    for (Backend& backend : backends) {
        backend.channel = rpc::make_channel(backend.target, channel);
        backend.health = board.add({.name = backend.name, .required = false, .tolerance = 0s});
    }
    return backends;
}

// Method names of streams come from users: only those of the contracts become labels.
bool is_known(std::string_view service, std::string_view method) {
    const auto* contract = google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(std::string(service));
    return contract != nullptr && contract->FindMethodByName(std::string(method)) != nullptr;
}

class ApiService final : public runtime::Service {
  public:
    ApiService(const Config& config, const runtime::ServiceContext& context)
        : config_(config), context_(context), backends_(make_backends(config, context.health)), loop_("api") {
        const CallDone count_unary = [this](auto service, auto method, grpc::StatusCode code, Duration took) {
            rpc::count_call(context_.metrics, service, method, code, took);
        };
        const CallDone count_stream = [this](auto service, auto method, grpc::StatusCode code, Duration took) {
            rpc::count_call(context_.metrics, service, is_known(service, method) ? method : "unknown", code, took);
        };
        std::map<std::string, std::shared_ptr<grpc::Channel>> routes;
        std::vector<std::string> names;
        const auto* contracts = google::protobuf::DescriptorPool::generated_pool();
        for (const Backend& backend : backends_) {
            for (const std::string& service : backend.services) {
                unary_.emplace_back(*contracts->FindServiceByName(service), backend.channel, count_unary);
                routes.emplace(service, backend.channel);
                names.push_back(service);
            }
        }
        reflection_ = make_reflection(names);
        streams_ = std::make_unique<StreamProxy>(std::move(routes), count_stream);
    }

    [[nodiscard]] std::string_view name() const override { return "api"; }

    [[nodiscard]] Result<void> start() override {
        rpc::ServerConfig server_config;
        server_config.listen = runtime::to_string(config_.grpc_listen);
        server_config.fallback = streams_.get();
        std::vector<grpc::Service*> services;
        for (const auto& service : reflection_) services.push_back(service.get());
        for (UnaryProxy& service : unary_) services.push_back(&service);
        auto server = rpc::Server::start(server_config, services);
        if (!server) return server.error();
        server_ = std::move(*server);
        if (!runtime::is_loopback(config_.grpc_listen)) {
            context_.log.warn("gRPC listens beyond loopback without authentication", {{"address", server_->address()}});
        }
        context_.log.info("gRPC front door is open", {{"address", server_->address()}});
        loop_.start();
        loop_.post([this] { watch_backends(); });
        loop_.every(1s, [this] { watch_backends(); });
        loop_.every(1s, [this] { streams_->cut_slow(runtime::steady_now() - config_.write_deadline); });
        return {};
    }

    void drain(runtime::Deadline deadline) override {
        context_.health.set_draining();
        const auto grace = std::chrono::duration_cast<std::chrono::milliseconds>(
            std::min<Duration>(deadline.remaining(), 10s) * 4 / 5);
        if (server_) server_->shutdown(grace);
        if (!loop_.stop(deadline)) context_.log.warn("the watch loop did not end in time");
    }

    [[nodiscard]] std::vector<runtime::Port> ports() const override {
        if (!server_) return {};
        Address address = config_.grpc_listen;
        address.port = server_->port();
        return {{"grpc", address}};
    }

  private:
    // A backend that cannot be reached degrades the front door; the others' calls still pass.
    void watch_backends() {
        for (Backend& backend : backends_) {
            const grpc_connectivity_state state = backend.channel->GetState(/*try_to_connect=*/true);
            const bool reachable = state == GRPC_CHANNEL_READY || state == GRPC_CHANNEL_IDLE;
            if (reachable) {
                backend.health.ok();
            } else {
                backend.health.down("no connection to " + backend.target + "; its calls answer UNAVAILABLE");
            }
            for (const std::string& service : backend.services) server_->set_serving(service, reachable);
        }
        server_->set_serving(true);
    }

    Config config_;
    runtime::ServiceContext context_;
    std::vector<Backend> backends_;
    std::vector<std::unique_ptr<grpc::Service>> reflection_;
    std::deque<UnaryProxy> unary_;
    std::unique_ptr<StreamProxy> streams_;
    runtime::EventLoop loop_;
    std::unique_ptr<rpc::Server> server_;
};

}  // namespace

Result<std::unique_ptr<runtime::Service>> make_service(const Config& config, const runtime::ServiceContext& context) {
    return std::unique_ptr<runtime::Service>(std::make_unique<ApiService>(config, context));
}

}  // namespace lanyard::api
