#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "observation/config.hpp"
#include "observation/downlink.hpp"
#include "observation/store.hpp"
#include "runtime/service.hpp"

namespace lanyard::observation {

// What a composing program may bring instead of what the configuration names. All may be left empty.
struct Deps {
    std::shared_ptr<ObservationStore> store;     // else Redis
    std::shared_ptr<Downlink> downlink;          // else DownlinkService of the registry
    std::shared_ptr<DeviceDirectory> directory;  // else DeviceService of the registry
    // Read once in start(): where the registry listens, when that is known only then; else registry.addresses.
    std::function<std::vector<std::string>()> registry_addresses;
};

// Turns uplink records into telemetry, keeps the observations that are wanted of each device in place, and serves
// ObservationService. Listens on grpc.listen (port named "grpc").
[[nodiscard]] Result<std::unique_ptr<runtime::Service>> make_service(const Config& config,
                                                                     const runtime::ServiceContext& context,
                                                                     Deps deps = {});

}  // namespace lanyard::observation
