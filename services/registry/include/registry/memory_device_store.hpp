#pragma once

#include <memory>

#include "registry/device_store.hpp"
#include "registry/executor.hpp"

namespace lanyard::registry {

// What the memory stores of one cluster share. Thread-safe.
class MemoryDevices;
[[nodiscard]] std::shared_ptr<MemoryDevices> make_memory_devices();

// The twin of the Redis store in memory: same behaviour, nothing survives the process.
class MemoryDeviceStore final : public DeviceStore {
  public:
    MemoryDeviceStore(std::shared_ptr<MemoryDevices> devices, Executor executor, const StoreLimits& limits = {})
        : devices_(std::move(devices)), executor_(std::move(executor)), limits_(limits) {}

    void register_device(RegisterCommand command, Done<Registered> done) override;
    void update(UpdateCommand command, Done<Change> done) override;
    void deregister(DeregisterCommand command, Done<Change> done) override;
    void adopt(AdoptCommand command, Done<Change> done) override;
    void touch(std::vector<TouchEntry> entries, Done<void> done) override;
    void expire(std::vector<ExpireEntry> entries, UnixMillis now_ms, Done<std::size_t> done) override;
    void expire_due(std::uint32_t partition, UnixMillis now_ms, std::size_t max, Done<ExpiryProgress> done) override;
    void get(identity::DeviceName name, Done<DeviceRecord> done) override;
    void get(identity::DeviceNumber number, Done<DeviceRecord> done) override;
    void find(identity::DeviceName name, Done<DeviceRecord> done) override;
    void find(identity::DeviceNumber number, Done<DeviceRecord> done) override;
    void get_many(std::vector<identity::DeviceName> names,
                  Done<std::vector<std::optional<DeviceRecord>>> done) override;
    void list(std::uint32_t partition, std::uint32_t after, std::size_t max, Done<DevicePage> done) override;
    void create(CreateCommand command, Done<DeviceRecord> done) override;
    void modify(ModifyCommand command, Done<DeviceRecord> done) override;
    void remove(RemoveCommand command, Done<DeviceRecord> done) override;
    void outbox_read(std::uint32_t partition, std::size_t max, Done<OutboxPage> done) override;
    void outbox_trim(std::uint32_t partition, std::string owner, std::size_t count, Done<void> done) override;
    void take_lease(std::uint32_t partition, std::string owner, std::string former, Done<std::string> done) override;
    void release_lease(std::uint32_t partition, std::string owner, Done<void> done) override;
    void heartbeat(std::string replica, std::chrono::milliseconds ttl, Done<Heartbeat> done) override;
    void retire(std::string replica, Done<void> done) override;
    void mark_changed(std::vector<std::uint32_t> partitions, Done<void> done) override;
    void changed(Done<std::vector<std::uint32_t>> done) override;
    void clear_changed(std::vector<std::uint32_t> partitions, Done<void> done) override;
    void register_node(Node node, Done<std::uint32_t> done) override;
    void node(std::uint32_t number, Done<Node> done) override;
    void keep_observed(std::uint16_t spec, std::string request, Done<void> done) override;
    void observed(std::uint16_t spec, Done<std::string> done) override;
    void counts(std::uint32_t partition, Done<Counts> done) override;
    [[nodiscard]] Result<void> available() const override;
    void stop() override {}  // nothing ever waits

  private:
    template <class T, class Work>
    void run(Done<T> done, Work work);

    std::shared_ptr<MemoryDevices> devices_;
    Executor executor_;
    StoreLimits limits_;
};

}  // namespace lanyard::registry
