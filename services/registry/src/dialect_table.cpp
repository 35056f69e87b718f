#include "dialect_table.hpp"

namespace lanyard::registry {

std::uint32_t DialectTable::number_of(const RegistrationInfo& registration) {
    if (registration.object_links.size() > kListBytes) return 0;
    std::string key = registration.lwm2m_version + ' ' + registration.object_links;
    const std::lock_guard lock(mutex_);
    if (const auto found = numbers_.find(key); found != numbers_.end()) return found->second;
    if (dialects_.size() >= kLists) {
        first_ += static_cast<std::uint32_t>(dialects_.size());
        dialects_.clear();
        numbers_.clear();
    }
    const auto number = first_ + static_cast<std::uint32_t>(dialects_.size());
    dialects_.push_back(std::make_shared<const DeviceDialect>(dialect_of(registration)));
    numbers_.emplace(std::move(key), number);
    return number;
}

DialectTable::Dialect DialectTable::find(std::uint32_t number) const {
    const std::lock_guard lock(mutex_);
    if (number < first_ || number - first_ >= dialects_.size()) return nullptr;
    return dialects_[number - first_];
}

}  // namespace lanyard::registry
