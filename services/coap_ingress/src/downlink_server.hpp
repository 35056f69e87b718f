#pragma once

#include <functional>
#include <memory>

#include "lanyard/internal/v1/downlink.grpc.pb.h"
#include "ports.hpp"

namespace lanyard::coap_ingress {

// lanyard.internal.v1.DownlinkService: streams of requests from registries, each passed on to the shard that owns the
// session. Runs on gRPC's threads.
class DownlinkServer final : public internal::v1::DownlinkService::CallbackService {
  public:
    // Takes a call to a shard. False, with the call untouched, when that shard's mailbox is full.
    using Route = std::function<bool(DownlinkCall& call)>;

    explicit DownlinkServer(Route route) : route_(std::move(route)) {}

    grpc::ServerBidiReactor<internal::v1::DownlinkBatch, internal::v1::DownlinkResultBatch>* Exchange(
        grpc::CallbackServerContext* context) override;

  private:
    Route route_;
};

}  // namespace lanyard::coap_ingress
