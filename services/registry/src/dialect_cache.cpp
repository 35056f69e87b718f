#include "dialect_cache.hpp"

namespace lanyard::registry {

std::shared_ptr<const DeviceDialect> DialectCache::of(const DeviceRecord& device) {
    const RegistrationInfo& registration = device.registration;
    if (registration.object_links.size() > kListBytes) return std::make_shared<const DeviceDialect>(dialect_of(device));
    const std::string key = registration.lwm2m_version + ' ' + registration.object_links;
    {
        const std::lock_guard lock(mutex_);
        if (const auto found = dialects_.find(key); found != dialects_.end()) return found->second;
    }
    auto dialect = std::make_shared<const DeviceDialect>(dialect_of(device));
    const std::lock_guard lock(mutex_);
    if (dialects_.size() >= kLists) dialects_.clear();
    dialects_[key] = dialect;
    return dialect;
}

}  // namespace lanyard::registry
