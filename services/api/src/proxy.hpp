#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include <grpcpp/generic/async_generic_service.h>

#include "base/time.hpp"
#include "rpc/channel_pool.hpp"

namespace lanyard::api {

class LiveCalls;

// Passes calls on by the full name of their service, without looking at messages.
//
// One message per direction is under way at a time, so a slow side slows the other through gRPC's flow control and
// nothing piles up here; who does not read at all is cut by cut_slow(). Deadline, metadata, status details, trailing
// metadata and cancellation are kept. A service without a route is UNIMPLEMENTED. Thread-safe; must outlive the server.
class Proxy final : public grpc::CallbackGenericService {
  public:
    // Told once per finished call: full service name, method name, status code, how long it took.
    using OnDone =
        std::function<void(std::string_view service, std::string_view method, grpc::StatusCode code, Duration took)>;

    Proxy(std::map<std::string, std::shared_ptr<grpc::Channel>> routes, OnDone on_done);
    ~Proxy() override;

    grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext* context) override;
    // Cancels the calls whose user has not taken a message that was sent before `since`. Not from a gRPC callback.
    void cut_slow(SteadyTime since);

  private:
    // A unary method of a contract of ours.
    struct Unary {
        std::shared_ptr<grpc::Channel> channel;
        std::string service;
        std::string method;
    };

    std::unique_ptr<LiveCalls> live_;
    std::map<std::string, std::shared_ptr<grpc::Channel>> routes_;  // by full service name
    std::unordered_map<std::string, Unary> unary_;                  // by path
    OnDone on_done_;
};

}  // namespace lanyard::api
