#pragma once

#include <functional>
#include <memory>

#include "device_view.hpp"
#include "lanyard/registry/v1/device.grpc.pb.h"
#include "node_names.hpp"
#include "registry/config.hpp"
#include "registry/device_store.hpp"
#include "registry/executor.hpp"

namespace lanyard::registry {

class WatchHub;

// lanyard.registry.v1.DeviceService. Calls come on gRPC's threads, are checked there and carried out on the loop.
class DeviceService final : public v1::DeviceService::CallbackService {
  public:
    struct Events {
        // An outbox of this partition has something new. Loop.
        std::function<void(std::uint32_t partition)> changed;
        // A registration was ended by a person: its owner forgets it. Loop.
        std::function<void(const DeviceRecord& device)> ended;
    };

    // `watch` null: WatchDevices is UNAVAILABLE.
    DeviceService(DeviceStore& store, NodeNames& nodes, TryExecutor executor, const Config& config, const SipKey& key,
                  WatchHub* watch, Events events);

    grpc::ServerUnaryReactor* GetDevice(grpc::CallbackServerContext* context, const v1::GetDeviceRequest* request,
                                        v1::Device* response) override;
    grpc::ServerUnaryReactor* ListDevices(grpc::CallbackServerContext* context, const v1::ListDevicesRequest* request,
                                          v1::ListDevicesResponse* response) override;
    grpc::ServerUnaryReactor* BatchGetDevices(grpc::CallbackServerContext* context,
                                              const v1::BatchGetDevicesRequest* request,
                                              v1::BatchGetDevicesResponse* response) override;
    grpc::ServerUnaryReactor* CreateDevice(grpc::CallbackServerContext* context, const v1::CreateDeviceRequest* request,
                                           v1::Device* response) override;
    grpc::ServerUnaryReactor* UpdateDevice(grpc::CallbackServerContext* context, const v1::UpdateDeviceRequest* request,
                                           v1::Device* response) override;
    grpc::ServerUnaryReactor* DeleteDevice(grpc::CallbackServerContext* context, const v1::DeleteDeviceRequest* request,
                                           google::protobuf::Empty* response) override;
    grpc::ServerUnaryReactor* DeregisterDevice(grpc::CallbackServerContext* context,
                                               const v1::DeregisterDeviceRequest* request,
                                               v1::Device* response) override;
    grpc::ServerWriteReactor<v1::WatchDevicesResponse>* WatchDevices(grpc::CallbackServerContext* context,
                                                                     const v1::WatchDevicesRequest* request) override;

  private:
    class Reactor;
    using Records = std::vector<std::optional<DeviceRecord>>;
    [[nodiscard]] ViewContext view() const;
    [[nodiscard]] bool knows(const std::string& tenant) const;
    // Carries the work out on the loop, or refuses the call.
    grpc::ServerUnaryReactor* run(Reactor* reactor, runtime::Task work);
    // Ends the call with the device, or with the store's error.
    Done<DeviceRecord> answer(Reactor* reactor, v1::Device* response, bool changes);
    void show(Reactor* reactor, const DeviceRecord& record, v1::Device* response);
    void show_all(Reactor* reactor, const std::vector<identity::DeviceName>& names, Records records,
                  v1::BatchGetDevicesResponse* response);

    DeviceStore& store_;
    NodeNames& nodes_;
    TryExecutor executor_;
    const Config& config_;
    const SipKey key_;
    WatchHub* watch_;
    Events events_;
};

}  // namespace lanyard::registry
