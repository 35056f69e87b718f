#pragma once

#include <functional>
#include <string>

#include "downlink_router.hpp"
#include "known_devices.hpp"
#include "lanyard/operations/v1/operation.grpc.pb.h"
#include "lwm2m_coap/operation.hpp"
#include "registry/config.hpp"
#include "registry/device_store.hpp"

namespace lanyard::registry {

// lanyard.operations.v1.DeviceOperationService. Calls come on gRPC's threads and go on where the store and the router
// answer.
class OperationService final : public operations::v1::DeviceOperationService::CallbackService {
  public:
    // For metrics, with how long it took; any thread.
    using Counted = std::function<void(std::string_view operation, const std::string& result, Duration took)>;

    OperationService(DeviceStore& store, DownlinkRouter& router, KnownDevices& known, const Config& config,
                     Counted counted);

    grpc::ServerUnaryReactor* ReadResource(grpc::CallbackServerContext* context,
                                           const operations::v1::ReadResourceRequest* request,
                                           operations::v1::ReadResourceResponse* response) override;
    grpc::ServerUnaryReactor* WriteResource(grpc::CallbackServerContext* context,
                                            const operations::v1::WriteResourceRequest* request,
                                            operations::v1::WriteResourceResponse* response) override;
    grpc::ServerUnaryReactor* ExecuteResource(grpc::CallbackServerContext* context,
                                              const operations::v1::ExecuteResourceRequest* request,
                                              operations::v1::ExecuteResourceResponse* response) override;
    grpc::ServerUnaryReactor* DiscoverResources(grpc::CallbackServerContext* context,
                                                const operations::v1::DiscoverResourcesRequest* request,
                                                operations::v1::DiscoverResourcesResponse* response) override;
    grpc::ServerUnaryReactor* WriteAttributes(grpc::CallbackServerContext* context,
                                              const operations::v1::WriteAttributesRequest* request,
                                              operations::v1::WriteAttributesResponse* response) override;

  private:
    class Call;
    using Build = std::function<Result<lwm2m_coap::Operation>(const DeviceDialect&)>;
    // Fills the response from a successful answer; an error ends the call with it.
    using Fill = std::function<Result<void>(const DeviceDialect&, const internal::v1::DownlinkResult&)>;

    // An operation on its way; shared by what waits for it.
    struct Operation {
        Call* call;
        identity::DeviceName device;
        Build build;
        Fill fill;
    };
    using Shared = std::shared_ptr<const Operation>;

    grpc::ServerUnaryReactor* run(Call* call, const std::string& device, Build build, Fill fill);
    void look_up(const Shared& operation);
    void on_device(const Shared& operation, Result<DeviceRecord> device);
    // `hinted`: `device` may be out of date, so nothing is refused because of it; the store is asked first.
    void send(const Shared& operation, const KnownDevice& device, bool hinted);
    void on_result(const Shared& operation, const KnownDevice& device, const lwm2m_coap::Operation& asked,
                   const internal::v1::DownlinkResult& result, bool hinted);

    DeviceStore& store_;
    DownlinkRouter& router_;
    KnownDevices& known_;
    const Config& config_;
    Counted counted_;
};

}  // namespace lanyard::registry
