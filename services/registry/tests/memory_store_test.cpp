#include "registry/memory_device_store.hpp"
#include "store_contract.inc"

namespace lanyard::registry {
namespace {

std::unique_ptr<DeviceStore> make(Executor executor, const StoreLimits& limits) {
    return std::make_unique<MemoryDeviceStore>(make_memory_devices(), std::move(executor), limits);
}

INSTANTIATE_TEST_SUITE_P(Memory, StoreContract, testing::Values(StoreBackend{"memory", make}),
                         [](const auto& value) { return std::string(value.param.name); });

}  // namespace
}  // namespace lanyard::registry
