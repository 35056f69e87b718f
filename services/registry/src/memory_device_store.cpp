#include "registry/memory_device_store.hpp"

#include <algorithm>
#include <set>

#include "memory_devices.hpp"

namespace lanyard::registry {
namespace {

Error not_found() {
    return make_error(Errc::not_found, "there is no such device or registration");
}

std::uint32_t seconds(UnixMillis now_ms) {
    return static_cast<std::uint32_t>(now_ms / 1000);
}

DeviceRecord* find_registered(MemoryPartition& partition, identity::DeviceNumber number, std::uint32_t generation) {
    DeviceRecord* record = partition.find(number.sequence());
    const bool fits = record && record->registered && (generation == 0 || record->generation == generation);
    return fits ? record : nullptr;
}

// "" is any.
bool belongs(const DeviceRecord& record, const std::string& tenant, const std::string& address) {
    return (tenant.empty() || record.tenant == tenant) &&
           (address.empty() || record.registration.remote_address == address);
}

Result<void> check_outbox(const MemoryPartition& partition, const StoreLimits& limits) {
    if (partition.outbox.size() < limits.outbox_depth_max) return {};
    return make_error(Errc::unavailable, "too many events wait for Kafka; try again later");
}

}  // namespace

template <class T, class Work>
void MemoryDeviceStore::run(Done<T> done, Work work) {
    const std::lock_guard lock(devices_->mutex);
    Result<T> result = work(*devices_);
    executor_([done = std::move(done), result = std::move(result)]() mutable { done(std::move(result)); });
}

void MemoryDeviceStore::register_device(RegisterCommand c, Done<Registered> done) {
    run(std::move(done), [&](MemoryDevices& all) -> Result<Registered> {
        MemoryPartition& partition = all.of(c.name.key());
        if (auto room = check_outbox(partition, limits_); !room) return room.error();
        DeviceRecord* record = partition.find(c.name.key());
        if (record ? !record->enabled : !c.auto_create) {
            return make_error(Errc::permission_denied, "this endpoint may not register here");
        }
        if (!record) record = &partition.add(identity::partition_of(c.name.key()), c.name, c.now_ms);
        Registered out{record->number, 0, 0, 0, record->registered, record->node, record->shard};
        if (!record->registered) ++partition.counts.registered;
        ++record->generation;
        ++record->epoch;
        record->registered = true;
        record->queue_mode = c.queue_mode;
        record->node = c.node;
        record->shard = c.shard;
        record->lifetime_s = c.lifetime_s;
        record->registration = std::move(c.registration);
        record->registration.register_ms = c.now_ms;
        record->last_seen_s = seconds(c.now_ms);
        partition.set_pledge(*record, pledge_of(c.now_ms, c.lifetime_s));
        partition.emit(LifecycleEvent::registered, c.now_ms, *record);
        out.generation = record->generation;
        out.epoch = record->epoch;
        out.pledge_s = record->pledge_s;
        return out;
    });
}

void MemoryDeviceStore::update(UpdateCommand c, Done<Change> done) {
    run(std::move(done), [&](MemoryDevices& all) -> Result<Change> {
        MemoryPartition& partition = all.of(c.device);
        DeviceRecord* record = partition.find(c.device.sequence());
        if (!record || !record->registered || record->generation != c.generation) return not_found();
        if (record->epoch != c.epoch) {
            return make_error(Errc::failed_precondition, "another owner has a newer epoch");
        }
        if (c.changes_anything()) {
            if (auto room = check_outbox(partition, limits_); !room) return room.error();
        }
        record->lifetime_s = c.lifetime_s.value_or(record->lifetime_s);
        record->queue_mode = c.queue_mode.value_or(record->queue_mode);
        if (c.binding) record->registration.binding = *c.binding;
        if (c.sms_number) record->registration.sms_number = *c.sms_number;
        if (c.object_links) record->registration.object_links = *c.object_links;
        if (c.remote_address) record->registration.remote_address = *c.remote_address;
        record->last_seen_s = seconds(c.now_ms);
        partition.set_pledge(*record, pledge_of(c.now_ms, record->lifetime_s));
        if (c.changes_anything()) partition.emit(LifecycleEvent::updated, c.now_ms, *record);
        return Change{*record, true, record->node, record->shard};
    });
}

void MemoryDeviceStore::deregister(DeregisterCommand c, Done<Change> done) {
    run(std::move(done), [&](MemoryDevices& all) -> Result<Change> {
        MemoryPartition& partition = all.of(c.device);
        DeviceRecord* record = find_registered(partition, c.device, c.generation);
        if (!record || !belongs(*record, c.tenant, c.required_address)) return not_found();
        partition.end_registration(*record);
        record->last_seen_s = seconds(c.now_ms);
        partition.emit(LifecycleEvent::deregistered, c.now_ms, *record);
        return Change{*record, true, record->node, record->shard};
    });
}

void MemoryDeviceStore::adopt(AdoptCommand c, Done<Change> done) {
    run(std::move(done), [&](MemoryDevices& all) -> Result<Change> {
        MemoryPartition& partition = all.of(c.device);
        DeviceRecord* record = find_registered(partition, c.device, c.generation);
        if (!record || !belongs(*record, c.tenant, c.same_address ? c.remote_address : "")) return not_found();
        const Change former{{}, true, record->node, record->shard};
        ++record->epoch;
        record->node = c.node;
        record->shard = c.shard;
        record->registration.remote_address = c.remote_address;
        record->last_seen_s = seconds(c.now_ms);
        partition.set_pledge(*record, std::max(record->pledge_s, pledge_of(c.now_ms, record->lifetime_s)));
        return Change{*record, true, former.former_node, former.former_shard};
    });
}

void MemoryDeviceStore::touch(std::vector<TouchEntry> entries, Done<void> done) {
    run(std::move(done), [&](MemoryDevices& all) -> Result<void> {
        for (const TouchEntry& entry : entries) {
            MemoryPartition& partition = all.of(entry.device);
            DeviceRecord* record = partition.find(entry.device.sequence());
            if (!record) continue;
            record->last_seen_s = entry.last_seen_s;
            partition.set_pledge(*record, entry.pledge_s);
        }
        return {};
    });
}

void MemoryDeviceStore::expire(std::vector<ExpireEntry> entries, UnixMillis now_ms, Done<std::size_t> done) {
    run(std::move(done), [&](MemoryDevices& all) -> Result<std::size_t> {
        std::size_t ended = 0;
        for (const ExpireEntry& entry : entries) {
            MemoryPartition& partition = all.of(entry.device);
            DeviceRecord* record = find_registered(partition, entry.device, 0);
            if (!record || record->epoch != entry.epoch) continue;
            partition.end_registration(*record);
            partition.emit(LifecycleEvent::expired, now_ms, *record);
            ++ended;
        }
        return ended;
    });
}

void MemoryDeviceStore::expire_due(std::uint32_t number, UnixMillis now_ms, std::size_t max,
                                   Done<ExpiryProgress> done) {
    run(std::move(done), [&](MemoryDevices& all) -> Result<ExpiryProgress> {
        MemoryPartition& partition = all.partitions[number];
        ExpiryProgress progress;
        for (std::size_t looked = 0; looked < max && !partition.due.empty(); ++looked) {
            const auto [pledge, sequence] = *partition.due.begin();
            if (pledge > seconds(now_ms)) return progress;
            DeviceRecord& record = *partition.find(sequence);
            const bool ends = record.registered && record.lifetime_s > 0;
            partition.set_pledge(record, 0);
            if (!ends) continue;
            partition.end_registration(record);
            partition.emit(LifecycleEvent::expired, now_ms, record);
            ++progress.expired;
        }
        progress.more = !partition.due.empty() && partition.due.begin()->first <= seconds(now_ms);
        return progress;
    });
}

void MemoryDeviceStore::get(identity::DeviceName name, Done<DeviceRecord> done) {
    run(std::move(done), [&](MemoryDevices& all) -> Result<DeviceRecord> {
        const DeviceRecord* record = all.of(name.key()).find(name.key());
        if (!record) return not_found();
        return *record;
    });
}

void MemoryDeviceStore::get(identity::DeviceNumber number, Done<DeviceRecord> done) {
    run(std::move(done), [&](MemoryDevices& all) -> Result<DeviceRecord> {
        const DeviceRecord* record = all.of(number).find(number.sequence());
        if (!record) return not_found();
        return *record;
    });
}

void MemoryDeviceStore::find(identity::DeviceName name, Done<DeviceRecord> done) {
    get(std::move(name), std::move(done));
}

void MemoryDeviceStore::find(identity::DeviceNumber number, Done<DeviceRecord> done) {
    get(number, std::move(done));
}

void MemoryDeviceStore::get_many(std::vector<identity::DeviceName> names,
                                 Done<std::vector<std::optional<DeviceRecord>>> done) {
    using Records = std::vector<std::optional<DeviceRecord>>;
    run(std::move(done), [&](MemoryDevices& all) -> Result<Records> {
        Records records;
        for (const identity::DeviceName& name : names) {
            const DeviceRecord* record = all.of(name.key()).find(name.key());
            records.push_back(record ? std::optional(*record) : std::nullopt);
        }
        return records;
    });
}

void MemoryDeviceStore::list(std::uint32_t number, std::uint32_t after, std::size_t max, Done<DevicePage> done) {
    run(std::move(done), [&](MemoryDevices& all) -> Result<DevicePage> {
        const MemoryPartition& partition = all.partitions[number];
        DevicePage page;
        auto at = partition.records.upper_bound(after);
        for (; at != partition.records.end() && page.devices.size() < max; ++at) page.devices.push_back(at->second);
        if (at != partition.records.end()) page.next = page.devices.back().number.sequence();
        return page;
    });
}

void MemoryDeviceStore::create(CreateCommand c, Done<DeviceRecord> done) {
    run(std::move(done), [&](MemoryDevices& all) -> Result<DeviceRecord> {
        MemoryPartition& partition = all.of(c.name.key());
        if (partition.find(c.name.key())) return make_error(Errc::already_exists, "the device exists");
        if (auto room = check_outbox(partition, limits_); !room) return room.error();
        DeviceRecord& record = partition.add(identity::partition_of(c.name.key()), c.name, c.now_ms);
        record.enabled = c.enabled;
        record.profile = std::move(c.profile);
        partition.emit(LifecycleEvent::created, c.now_ms, record);
        return record;
    });
}

void MemoryDeviceStore::modify(ModifyCommand c, Done<DeviceRecord> done) {
    run(std::move(done), [&](MemoryDevices& all) -> Result<DeviceRecord> {
        MemoryPartition& partition = all.of(c.name.key());
        DeviceRecord* record = partition.find(c.name.key());
        if (!record) return not_found();
        if (c.revision && *c.revision != record->revision) {
            return make_error(Errc::aborted, "the device was changed by someone else; read it again");
        }
        if (auto room = check_outbox(partition, limits_); !room) return room.error();
        if (c.display_name) record->profile.display_name = *c.display_name;
        if (c.labels) record->profile.labels = *c.labels;
        record->enabled = c.enabled.value_or(record->enabled);
        ++record->revision;
        partition.emit(LifecycleEvent::changed, c.now_ms, *record);
        return *record;
    });
}

void MemoryDeviceStore::remove(RemoveCommand c, Done<DeviceRecord> done) {
    run(std::move(done), [&](MemoryDevices& all) -> Result<DeviceRecord> {
        MemoryPartition& partition = all.of(c.name.key());
        DeviceRecord* record = partition.find(c.name.key());
        if (!record) return not_found();
        if (c.revision && *c.revision != record->revision) {
            return make_error(Errc::aborted, "the device was changed by someone else; read it again");
        }
        partition.end_registration(*record);
        partition.emit(LifecycleEvent::deleted, c.now_ms, *record);
        --partition.counts.devices;
        DeviceRecord removed = std::move(*record);
        partition.index.erase(c.name.key());
        partition.records.erase(removed.number.sequence());
        return removed;
    });
}

void MemoryDeviceStore::outbox_read(std::uint32_t number, std::size_t max, Done<OutboxPage> done) {
    run(std::move(done), [&](MemoryDevices& all) -> Result<OutboxPage> {
        const auto& outbox = all.partitions[number].outbox;
        OutboxPage page;
        page.depth = outbox.size();
        std::set<std::uint32_t> devices;
        for (const OutboxEntry& entry : outbox) {
            if (page.elements == max || !devices.insert(entry.device.number.value).second) break;
            page.entries.push_back(entry);
            ++page.elements;
        }
        return page;
    });
}

void MemoryDeviceStore::outbox_trim(std::uint32_t number, std::string owner, std::size_t count, Done<void> done) {
    run(std::move(done), [&](MemoryDevices& all) -> Result<void> {
        MemoryPartition& partition = all.partitions[number];
        if (partition.lease_owner != owner) {
            return make_error(Errc::failed_precondition, "the partition's lease is held by another replica");
        }
        const auto end =
            partition.outbox.begin() + static_cast<std::ptrdiff_t>(std::min(count, partition.outbox.size()));
        partition.outbox.erase(partition.outbox.begin(), end);
        return {};
    });
}

void MemoryDeviceStore::take_lease(std::uint32_t number, std::string owner, std::string former,
                                   Done<std::string> done) {
    run(std::move(done), [&](MemoryDevices& all) -> Result<std::string> {
        std::string& holder = all.partitions[number].lease_owner;
        if (holder.empty() || holder == former) holder = owner;
        return holder;
    });
}

void MemoryDeviceStore::release_lease(std::uint32_t number, std::string owner, Done<void> done) {
    run(std::move(done), [&](MemoryDevices& all) -> Result<void> {
        MemoryPartition& partition = all.partitions[number];
        if (partition.lease_owner == owner) partition.lease_owner.clear();
        return {};
    });
}

void MemoryDeviceStore::heartbeat(std::string replica, std::chrono::milliseconds ttl, Done<Heartbeat> done) {
    run(std::move(done), [&](MemoryDevices& all) -> Result<Heartbeat> {
        const SteadyTime now = std::chrono::steady_clock::now();
        std::erase_if(all.replicas, [&](const auto& item) { return item.second < now - ttl; });
        Heartbeat out;
        out.was_known = !all.replicas.insert_or_assign(replica, now).second;
        for (const auto& item : all.replicas) out.live.push_back(item.first);
        return out;
    });
}

void MemoryDeviceStore::mark_changed(std::vector<std::uint32_t> partitions, Done<void> done) {
    run(std::move(done), [&](MemoryDevices& all) -> Result<void> {
        all.changed.insert(partitions.begin(), partitions.end());
        return {};
    });
}

void MemoryDeviceStore::changed(Done<std::vector<std::uint32_t>> done) {
    run(std::move(done), [&](MemoryDevices& all) -> Result<std::vector<std::uint32_t>> {
        return std::vector<std::uint32_t>(all.changed.begin(), all.changed.end());
    });
}

void MemoryDeviceStore::clear_changed(std::vector<std::uint32_t> partitions, Done<void> done) {
    run(std::move(done), [&](MemoryDevices& all) -> Result<void> {
        for (const std::uint32_t partition : partitions) all.changed.erase(partition);
        return {};
    });
}

void MemoryDeviceStore::retire(std::string replica, Done<void> done) {
    run(std::move(done), [&](MemoryDevices& all) -> Result<void> {
        all.replicas.erase(replica);
        return {};
    });
}

void MemoryDeviceStore::register_node(Node node, Done<std::uint32_t> done) {
    run(std::move(done), [&](MemoryDevices& all) -> Result<std::uint32_t> {
        const auto known = all.nodes.find(node.number);
        const bool same = known != all.nodes.end() && known->second.instance == node.instance;
        if (!same) {
            std::erase_if(all.nodes, [&](const auto& item) {
                return item.second.instance == node.instance && item.second.address.empty();
            });
            for (auto& [number, former] : all.nodes) {
                if (former.instance == node.instance) former.address.clear();
            }
            all.last_node = std::max(all.last_node, node.number) + 1;
            node.number = all.last_node;
        }
        all.nodes[node.number] = node;
        return node.number;
    });
}

void MemoryDeviceStore::node(std::uint32_t number, Done<Node> done) {
    run(std::move(done), [&](MemoryDevices& all) -> Result<Node> {
        const auto found = all.nodes.find(number);
        if (found == all.nodes.end()) {
            return make_error(Errc::not_found, "ingress node " + std::to_string(number) + " is not known");
        }
        return found->second;
    });
}

void MemoryDeviceStore::keep_observed(std::uint16_t spec, std::string request, Done<void> done) {
    run(std::move(done), [&](MemoryDevices& all) -> Result<void> {
        all.observed.try_emplace(spec, std::move(request));
        return {};
    });
}

void MemoryDeviceStore::observed(std::uint16_t spec, Done<std::string> done) {
    run(std::move(done), [&](MemoryDevices& all) -> Result<std::string> {
        const auto found = all.observed.find(spec);
        if (found != all.observed.end()) return found->second;
        return make_error(Errc::not_found, "no observation with spec " + std::to_string(spec) + " is known");
    });
}

void MemoryDeviceStore::counts(std::uint32_t partition, Done<Counts> done) {
    run(std::move(done), [&](MemoryDevices& all) -> Result<Counts> { return all.partitions[partition].counts; });
}

Result<void> MemoryDeviceStore::available() const {
    return {};
}

}  // namespace lanyard::registry
