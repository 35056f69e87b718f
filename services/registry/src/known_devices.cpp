#include "known_devices.hpp"

#include <algorithm>
#include <bit>
#include <random>

namespace lanyard::registry {
namespace {

constexpr std::size_t kSetsAtFirst = 64;

// Devices choose their names: they must not be able to choose their places.
SipKey random_key() {
    std::random_device random;
    SipKey key{};
    for (auto& byte : key) byte = static_cast<std::uint8_t>(random());
    return key;
}

std::uint32_t seconds_of(SteadyTime time) {
    return static_cast<std::uint32_t>(
        std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count());
}

}  // namespace

KnownDevices::KnownDevices(std::size_t max, Duration keep)
    : sets_max_(max == 0 ? 0 : std::bit_ceil(std::max(max / kWays, std::size_t{1}))),
      keep_(keep),
      hash_key_(random_key()),
      sets_(std::min(kSetsAtFirst, sets_max_)) {}

std::uint64_t KnownDevices::tag_of(const identity::DeviceName& name) const {
    return std::max<std::uint64_t>(siphash24(hash_key_, as_bytes(name.key())), 1);
}

KnownDevices::Key KnownDevices::key_of(const identity::DeviceName& name, const RegistrationInfo& registration) {
    if (sets_max_ == 0) return {};
    return {tag_of(name), dialects_.number_of(registration)};
}

void KnownDevices::put(const Key& key, const KnownDevice& device, SteadyTime now) {
    if (key.tag == 0) return;
    const std::lock_guard lock(mutex_);
    if (key.dialect == 0) return forget(key.tag);
    const Slot slot{key.tag,     device.number.value, device.generation, device.epoch,
                    device.node, key.dialect,         seconds_of(now),   device.shard};
    if (place(set_of(key.tag), slot)) ++used_;
    if (used_ > sets_.size() * kWays * 3 / 4 && sets_.size() < sets_max_) grow();
}

DialectTable::Dialect KnownDevices::put(const DeviceRecord& record, SteadyTime now) {
    const Key key = key_of({record.tenant, record.endpoint}, record.registration);
    if (record.registered) {
        put(key, {record.number, record.generation, record.epoch, record.node, record.shard, {}}, now);
    } else {
        const std::lock_guard lock(mutex_);
        forget(key.tag);
    }
    auto dialect = dialects_.find(key.dialect);
    return dialect ? dialect : std::make_shared<const DeviceDialect>(dialect_of(record.registration));
}

std::optional<KnownDevice> KnownDevices::find(const identity::DeviceName& name, SteadyTime now) const {
    if (sets_max_ == 0) return std::nullopt;
    const std::uint64_t tag = tag_of(name);
    const std::uint32_t now_s = seconds_of(now);
    Slot found;
    {
        const std::lock_guard lock(mutex_);
        for (const Slot& slot : set_of(tag)) {
            if (slot.tag == tag) found = slot;
        }
    }
    // Another thread may have put it in later than `now`.
    const auto age = std::chrono::seconds(static_cast<std::int32_t>(now_s - found.put_s));
    if (found.tag == 0 || age > keep_) return std::nullopt;
    auto dialect = dialects_.find(found.dialect);
    if (!dialect) return std::nullopt;
    return KnownDevice{{found.number}, found.generation, found.epoch, found.node, found.shard, std::move(dialect)};
}

void KnownDevices::forget(const identity::DeviceName& name) {
    const std::lock_guard lock(mutex_);
    forget(tag_of(name));
}

// Under the mutex.
void KnownDevices::forget(std::uint64_t tag) {
    if (sets_.empty()) return;
    for (Slot& slot : set_of(tag)) {
        if (slot.tag != tag || tag == 0) continue;
        slot = Slot();
        --used_;
    }
}

bool KnownDevices::place(Set& set, const Slot& slot) {
    Slot* at = &set[0];
    for (Slot& other : set) {
        if (other.tag == slot.tag) return other = slot, false;
        // An empty place is the oldest.
        if ((other.tag == 0 ? 0 : other.put_s) < (at->tag == 0 ? 0 : at->put_s)) at = &other;
    }
    const bool was_empty = at->tag == 0;
    *at = slot;
    return was_empty;
}

void KnownDevices::grow() {
    std::vector<Set> before(sets_.size() * 2);
    before.swap(sets_);
    for (const Set& set : before) {
        for (const Slot& slot : set) {
            if (slot.tag != 0) place(set_of(slot.tag), slot);
        }
    }
}

std::size_t KnownDevices::size() const {
    const std::lock_guard lock(mutex_);
    return used_;
}

}  // namespace lanyard::registry
