#include "rpc/server.hpp"

#include <mutex>

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include "call_interceptor.hpp"
#include "prepare_grpc.hpp"
#include "rpc/channel_pool.hpp"

namespace lanyard::rpc {

class Server::Impl {
  public:
    std::unique_ptr<grpc::Server> server;
    int port = 0;
    std::string address;
    std::once_flag stopped;
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() {
    shutdown(std::chrono::milliseconds(0));
}

Result<std::unique_ptr<Server>> Server::start(const ServerConfig& config, std::span<grpc::Service* const> services) {
    const auto colon = config.listen.rfind(':');
    if (colon == std::string::npos || colon == 0 || colon + 1 == config.listen.size()) {
        return make_error(Errc::invalid_argument, "listen: \"" + config.listen + "\" is not host:port");
    }
    prepare_grpc();
    grpc::EnableDefaultHealthCheckService(true);
    auto impl = std::make_unique<Impl>();
    const auto ms = [](std::chrono::milliseconds value) { return static_cast<int>(value.count()); };
    grpc::ServerBuilder builder;
    builder.AddListeningPort(config.listen, grpc::InsecureServerCredentials(), &impl->port);
    builder.SetMaxReceiveMessageSize(static_cast<int>(config.message_bytes_max));
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);  // a port that is taken is an error
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, ms(config.keepalive));
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10000);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, ms(config.ping_min));
    if (config.connection_age.count() > 0) {
        builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, ms(config.connection_age));
    }
    builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
    builder.AddChannelArgument(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, static_cast<int>(kStreamWindowBytes));
    builder.AddChannelArgument(GRPC_ARG_ENABLE_CHANNELZ, 0);
    for (grpc::Service* service : services) builder.RegisterService(service);
    if (config.fallback != nullptr) builder.RegisterCallbackGenericService(config.fallback);
    if (config.metrics != nullptr) {
        std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> interceptors;
        interceptors.push_back(make_call_interceptors(*config.metrics));
        builder.experimental().SetInterceptorCreators(std::move(interceptors));
    }
    impl->server = builder.BuildAndStart();
    if (!impl->server || impl->port == 0) {
        return make_error(Errc::unavailable,
                          "cannot listen on " + config.listen + ": in use or not an address of ours");
    }
    impl->address = config.listen.substr(0, colon) + ":" + std::to_string(impl->port);
    std::unique_ptr<Server> server(new Server(std::move(impl)));
    server->set_serving(false);
    return server;
}

std::uint16_t Server::port() const {
    return static_cast<std::uint16_t>(impl_->port);
}
const std::string& Server::address() const {
    return impl_->address;
}
std::shared_ptr<grpc::Channel> Server::in_process_channel() {
    return impl_->server->InProcessChannel({});
}

void Server::set_serving(const std::string& service, bool serving) {
    impl_->server->GetHealthCheckService()->SetServingStatus(service, serving);
}
void Server::set_serving(bool serving) {
    set_serving("", serving);
}

void Server::shutdown(std::chrono::milliseconds grace) {
    std::call_once(impl_->stopped, [this, grace] {
        impl_->server->GetHealthCheckService()->Shutdown();
        impl_->server->Shutdown(std::chrono::system_clock::now() + grace);
        impl_->server->Wait();
    });
}

}  // namespace lanyard::rpc
