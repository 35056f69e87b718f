#include "device/attribute_table.hpp"

#include <algorithm>
#include <array>

#include "device/limits.hpp"
#include "lwm2m/model.hpp"

namespace lanyard::device {
namespace {

lwm2m::ValueType type_at(const lwm2m::Path& path) {
    if (path.size() < 3) return lwm2m::ValueType::none;
    const auto model = lwm2m::registry_models().resource(path[0], path[2]);
    return model ? model->type : lwm2m::ValueType::none;
}

}  // namespace

Result<AttributeTable::SetId> AttributeTable::change(SetId current, const lwm2m::Path& path,
                                                     const lwm2m::Attributes& change) {
    lwm2m::Attributes merged = lwm2m::merge(at(current, path), change);
    merged.unset.clear();
    if (const Result<void> valid = lwm2m::validate(merged, path, type_at(path)); !valid) return valid.error();
    Set set = sets_[current];
    std::erase_if(set, [&](const auto& entry) { return entry.first == path; });
    if (!merged.empty()) set.emplace_back(path, std::move(merged));
    std::sort(set.begin(), set.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    if (set.size() > kMaxAttributedPaths) return make_error(Errc::resource_exhausted, "too many attributed paths");
    const auto known = std::find(sets_.begin(), sets_.end(), set);
    if (known != sets_.end()) return static_cast<SetId>(known - sets_.begin());
    if (sets_.size() == kMaxAttributeSets) return make_error(Errc::resource_exhausted, "too many attribute sets");
    sets_.push_back(std::move(set));
    return static_cast<SetId>(sets_.size() - 1);
}

lwm2m::Attributes AttributeTable::at(SetId set, const lwm2m::Path& path) const {
    for (const auto& [attached_to, attributes] : sets_[set]) {
        if (attached_to == path) return attributes;
    }
    return {};
}

NotifyRules AttributeTable::rules(SetId set, const lwm2m::Path& path) const {
    if (set == kNone) return {};
    std::array<lwm2m::Attributes, lwm2m::Path::kMaxSize> levels;
    for (std::size_t size = 1; size <= path.size(); ++size) levels[size - 1] = at(set, path.prefix(size));
    return effective_rules(std::span(levels).first(path.size()));
}

}  // namespace lanyard::device
