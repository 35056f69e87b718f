#pragma once

#include <array>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/time.hpp"
#include "registry/device_store.hpp"

namespace lanyard::registry {

// One partition: what the keys of one hash tag hold in Redis.
struct MemoryPartition {
    std::uint32_t last_sequence = 0;
    std::unordered_map<std::string, std::uint32_t> index;  // "{tenant}/{endpoint}" -> sequence
    std::map<std::uint32_t, DeviceRecord> records;
    std::set<std::pair<std::uint32_t, std::uint32_t>> due;  // (pledge, sequence)
    std::deque<OutboxEntry> outbox;
    std::string lease_owner;
    Counts counts;

    [[nodiscard]] DeviceRecord* find(std::uint32_t sequence);
    [[nodiscard]] DeviceRecord* find(const std::string& key);
    // A new device with the next sequence number.
    DeviceRecord& add(std::uint32_t partition, const identity::DeviceName& name, UnixMillis now_ms);
    void set_pledge(DeviceRecord& record, std::uint32_t pledge_s);
    void end_registration(DeviceRecord& record);
    void emit(LifecycleEvent event, UnixMillis now_ms, DeviceRecord& record);
};

class MemoryDevices {
  public:
    std::mutex mutex;
    std::array<MemoryPartition, identity::kPartitions> partitions;
    std::map<std::string, SteadyTime> replicas;  // by their last heartbeat
    std::set<std::uint32_t> changed;
    std::map<std::uint32_t, Node> nodes;
    std::uint32_t last_node = 0;
    std::map<std::uint16_t, std::string> observed;  // by spec number

    MemoryPartition& of(const std::string& key) { return partitions[identity::partition_of(key)]; }
    MemoryPartition& of(identity::DeviceNumber number) { return partitions[number.partition()]; }
};

}  // namespace lanyard::registry
