#pragma once

#include <map>
#include <memory>
#include <string>

#include <grpcpp/generic/async_generic_service.h>

#include "base/time.hpp"
#include "call_done.hpp"
#include "rpc/channel_pool.hpp"

namespace lanyard::api {

class LiveCalls;

// Passes calls on by the full name of their service, as streams, without looking at messages. Unary calls of known
// contracts do not come here (UnaryProxy).
//
// One message per direction is under way at a time, so a slow side slows the other through gRPC's flow control and
// nothing piles up here; who does not read at all is cut by cut_slow(). Deadline, metadata, status details, trailing
// metadata and cancellation are kept. A service without a route is UNIMPLEMENTED. Thread-safe; must outlive the server.
class StreamProxy final : public grpc::CallbackGenericService {
  public:
    StreamProxy(std::map<std::string, std::shared_ptr<grpc::Channel>> routes, CallDone on_done);
    ~StreamProxy() override;

    grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext* context) override;
    // Cancels the calls whose user has not taken a message that was sent before `since`. Not from a gRPC callback.
    void cut_slow(SteadyTime since);

  private:
    std::unique_ptr<LiveCalls> live_;
    std::map<std::string, std::shared_ptr<grpc::Channel>> routes_;  // by full service name
    CallDone on_done_;
};

}  // namespace lanyard::api
