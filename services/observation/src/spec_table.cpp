#include "spec_table.hpp"

namespace lanyard::observation {
namespace {

// Paths hold no line breaks.
std::string key_of(const std::vector<std::string>& paths) {
    std::string key;
    for (const std::string& path : paths) key.append(path).push_back('\n');
    return key;
}

}  // namespace

std::shared_ptr<const SpecPaths> SpecTable::find(SpecId id) const {
    const std::lock_guard lock(mutex_);
    return id < by_id_.size() ? by_id_[id] : nullptr;
}

std::optional<SpecId> SpecTable::find(const std::vector<std::string>& paths) const {
    const std::lock_guard lock(mutex_);
    const auto found = by_paths_.find(key_of(paths));
    return found == by_paths_.end() ? std::nullopt : std::optional(found->second);
}

void SpecTable::add_locked(const Spec& spec) {
    if (by_id_.size() <= spec.id) by_id_.resize(std::size_t{spec.id} + 1);
    if (by_id_[spec.id] != nullptr) return;
    auto entry = std::make_shared<SpecPaths>();
    entry->spec = spec;
    if (spec.paths.size() == 1) {
        if (auto path = lwm2m::Path::parse(spec.paths.front())) entry->base = *path;
    }
    by_id_[spec.id] = std::move(entry);
    by_paths_.emplace(key_of(spec.paths), spec.id);
}

void SpecTable::add(std::span<const Spec> specs) {
    const std::lock_guard lock(mutex_);
    for (const Spec& spec : specs) add_locked(spec);
}

void SpecTable::loaded(std::span<const Spec> all) {
    const std::lock_guard lock(mutex_);
    for (const Spec& spec : all) add_locked(spec);
    ++loads_;
}

std::uint64_t SpecTable::loads() const {
    const std::lock_guard lock(mutex_);
    return loads_;
}

std::size_t SpecTable::size() const {
    const std::lock_guard lock(mutex_);
    return by_paths_.size();
}

}  // namespace lanyard::observation
