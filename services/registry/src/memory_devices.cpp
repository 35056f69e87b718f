#include "memory_devices.hpp"

#include "registry/memory_device_store.hpp"

namespace lanyard::registry {

std::shared_ptr<MemoryDevices> make_memory_devices() {
    return std::make_shared<MemoryDevices>();
}

DeviceRecord* MemoryPartition::find(std::uint32_t sequence) {
    const auto found = records.find(sequence);
    return found == records.end() ? nullptr : &found->second;
}

DeviceRecord* MemoryPartition::find(const std::string& key) {
    const auto found = index.find(key);
    return found == index.end() ? nullptr : find(found->second);
}

DeviceRecord& MemoryPartition::add(std::uint32_t partition, const identity::DeviceName& name, UnixMillis now_ms) {
    const std::uint32_t sequence = ++last_sequence;
    index[name.key()] = sequence;
    DeviceRecord& record = records[sequence];
    record.number = identity::DeviceNumber::from(sequence, partition);
    record.tenant = name.tenant;
    record.endpoint = name.endpoint;
    record.create_ms = now_ms;
    record.revision = 1;
    ++counts.devices;
    return record;
}

void MemoryPartition::set_pledge(DeviceRecord& record, std::uint32_t pledge_s) {
    due.erase({record.pledge_s, record.number.sequence()});
    record.pledge_s = pledge_s;
    if (pledge_s != 0) due.insert({pledge_s, record.number.sequence()});
}

void MemoryPartition::end_registration(DeviceRecord& record) {
    if (record.registered) --counts.registered;
    record.registered = false;
    set_pledge(record, 0);
}

void MemoryPartition::emit(LifecycleEvent event, UnixMillis now_ms, DeviceRecord& record) {
    ++record.counter;
    outbox.push_back({event, now_ms, record});
    // As in Redis, an entry holds the record without what is kept beside it.
    outbox.back().device.pledge_s = 0;
    outbox.back().device.last_seen_s = 0;
}

}  // namespace lanyard::registry
