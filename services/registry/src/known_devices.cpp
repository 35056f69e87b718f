#include "known_devices.hpp"

#include <random>
#include <utility>

namespace lanyard::registry {
namespace {

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

KnownDevices::KnownDevices(std::size_t max, Duration keep) : max_(max), keep_(keep), hash_key_(random_key()) {}

std::uint64_t KnownDevices::tag_of(const identity::DeviceName& name) const {
    return siphash24(hash_key_, as_bytes(name.key()));
}

KnownDevice KnownDevices::put(const DeviceRecord& record, SteadyTime now) {
    const std::uint64_t tag = tag_of({record.tenant, record.endpoint});
    const std::uint32_t dialect = dialects_.number_of(record.registration);
    {
        const std::lock_guard lock(mutex_);
        if (record.registered && dialect != 0 && max_ != 0) {
            keep(tag, {record.number.value, record.generation, record.epoch, record.node, dialect, seconds_of(now),
                       record.shard});
        } else {
            forget(tag);
        }
    }
    auto known = dialects_.find(dialect);
    if (!known) known = std::make_shared<const DeviceDialect>(dialect_of(record.registration));
    return {record.number, record.generation, record.epoch, record.node, record.shard, std::move(known)};
}

// Under the mutex.
void KnownDevices::keep(std::uint64_t tag, const Place& place) {
    if (recent_.size() >= (max_ + 1) / 2) {
        former_ = std::move(recent_);
        recent_.clear();
    }
    recent_[tag] = place;
}

std::optional<KnownDevice> KnownDevices::find(const identity::DeviceName& name, SteadyTime now) const {
    if (max_ == 0) return std::nullopt;
    const std::uint64_t tag = tag_of(name);
    Place place;
    {
        const std::lock_guard lock(mutex_);
        auto found = recent_.find(tag);
        if (found == recent_.end()) {
            found = former_.find(tag);
            if (found == former_.end()) return std::nullopt;
        }
        place = found->second;
    }
    // Another thread may have put it in later than `now`.
    const auto age = std::chrono::seconds(static_cast<std::int32_t>(seconds_of(now) - place.put_s));
    auto dialect = dialects_.find(place.dialect);
    if (age > keep_ || !dialect) return std::nullopt;
    return KnownDevice{{place.number}, place.generation, place.epoch, place.node, place.shard, std::move(dialect)};
}

void KnownDevices::forget(const identity::DeviceName& name) {
    const std::lock_guard lock(mutex_);
    forget(tag_of(name));
}

// Under the mutex.
void KnownDevices::forget(std::uint64_t tag) {
    recent_.erase(tag);
    former_.erase(tag);
}

std::size_t KnownDevices::size() const {
    const std::lock_guard lock(mutex_);
    std::size_t sum = recent_.size();
    for (const auto& item : former_) sum += recent_.contains(item.first) ? 0U : 1U;
    return sum;
}

}  // namespace lanyard::registry
