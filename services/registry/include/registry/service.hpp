#pragma once

#include <functional>
#include <memory>

#include "base/error.hpp"
#include "registry/config.hpp"
#include "registry/executor.hpp"

namespace lanyard::runtime {
class Service;
struct ServiceContext;
}  // namespace lanyard::runtime

namespace lanyard::registry {

class DeviceStore;
class MemoryDevices;

// Makes the store of one instance; its callbacks go through `executor`.
using StoreFactory = std::function<Result<std::unique_ptr<DeviceStore>>(Executor executor)>;

// What a composition may replace.
struct Deps {
    // Empty: Redis as configured.
    StoreFactory store;
};

// The registry: DeviceService, DeviceOperationService, RegistrationService and DownlinkService on one gRPC port.
// invalid_argument when the configuration breaks validate().
[[nodiscard]] Result<std::unique_ptr<runtime::Service>> make_service(const Config& config,
                                                                     const runtime::ServiceContext& context,
                                                                     Deps deps = {});

// A store in memory, for development and tests. Instances that share `devices` are replicas of one cluster.
[[nodiscard]] StoreFactory memory_store(std::shared_ptr<MemoryDevices> devices);
[[nodiscard]] std::shared_ptr<MemoryDevices> make_memory_devices();

}  // namespace lanyard::registry
