#pragma once

#include <memory>
#include <unordered_map>

#include "downlink_router.hpp"
#include "lanyard/internal/v1/downlink.grpc.pb.h"
#include "registry/executor.hpp"

namespace lanyard::registry {

// The router as a service for the other services: requests in, results out, on long-lived streams.
class DownlinkService final : public internal::v1::DownlinkService::CallbackService {
  public:
    explicit DownlinkService(Executor executor) : executor_(std::move(executor)) {}

    // Before the server starts.
    void set_router(DownlinkRouter& router) { router_ = &router; }
    grpc::ServerBidiReactor<internal::v1::DownlinkBatch, internal::v1::DownlinkResultBatch>* Exchange(
        grpc::CallbackServerContext* context) override;
    // Loop only: ends all streams after what is queued.
    void finish_all();

  private:
    class Stream;

    Executor executor_;
    DownlinkRouter* router_ = nullptr;
    std::unordered_map<Stream*, std::weak_ptr<Stream>> streams_;  // loop only
};

}  // namespace lanyard::registry
