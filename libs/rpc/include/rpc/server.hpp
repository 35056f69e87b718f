#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/error.hpp"

namespace grpc {
class CallbackGenericService;
class Service;
class Channel;
}  // namespace grpc

namespace lanyard::telemetry {
class MetricRegistry;
}

namespace lanyard::rpc {

struct ServerConfig {
    std::string listen = "127.0.0.1:0";           // host:port; port 0 takes a free one
    std::size_t message_bytes_max = 4 << 20;      // larger requests get RESOURCE_EXHAUSTED
    std::chrono::milliseconds keepalive{30000};   // ping a silent client; it is gone after 10 s without an answer
    std::chrono::milliseconds ping_min{10000};    // clients that ping more often are disconnected
    std::chrono::milliseconds connection_age{0};  // ask clients to reconnect (and resolve again) after; 0: never
    // Gets the calls of all services that are not registered; outlives the server.
    grpc::CallbackGenericService* fallback = nullptr;
    // Where the calls of public services are counted (rpc/call_metrics.hpp), if anywhere; outlives the server.
    telemetry::MetricRegistry* metrics = nullptr;
};

// A gRPC server with grpc.health.v1. Services use the callback API and must outlive the server.
//
// Health: "" and every name given to set_serving() are NOT_SERVING until told otherwise. Thread-safe.
class Server {
  public:
    // Listens and serves at once; at least one service. unavailable when the address is taken, invalid_argument when it
    // is malformed.
    [[nodiscard]] static Result<std::unique_ptr<Server>> start(const ServerConfig& config,
                                                               std::span<grpc::Service* const> services);
    // shutdown() with no grace.
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    [[nodiscard]] std::uint16_t port() const;
    // host:port to connect to.
    [[nodiscard]] const std::string& address() const;
    // A channel inside the process, without a socket.
    [[nodiscard]] std::shared_ptr<grpc::Channel> in_process_channel();

    // grpc.health.v1 of one service by full name, and of the whole server.
    void set_serving(const std::string& service, bool serving);
    void set_serving(bool serving);

    // Health goes to NOT_SERVING, no new calls; running ones get `grace` and are then cancelled. Blocks until all
    // are gone. Streams end only by their own reactor or the cancel. Later calls do nothing.
    void shutdown(std::chrono::milliseconds grace);

  private:
    class Impl;
    explicit Server(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace lanyard::rpc
