#include "device/object_tree.hpp"

#include "base/assert.hpp"
#include "device/limits.hpp"
#include "lwm2m/value.hpp"

namespace lanyard::device {
namespace {

using lwm2m::Path;

Error nothing_there(const Path& path) {
    return make_error(Errc::not_found, path.to_string() + " does not exist");
}

Error not_allowed(const Path& path) {
    return make_error(Errc::failed_precondition, path.to_string() + " does not allow that");
}

}  // namespace

void ObjectTree::add(const Path& path, lwm2m::Value value, Access access) {
    LANYARD_ASSERT(path.size() >= 3);
    leaves_[path] = {std::move(value), access, {}};
}

void ObjectTree::add_action(const Path& path, Action action) {
    LANYARD_ASSERT(path.size() == 3 && action);
    leaves_[path] = {{}, Access::read, std::move(action)};
}

void ObjectTree::set(const Path& path, lwm2m::Value value) {
    const auto at = leaves_.find(path);
    LANYARD_ASSERT(at != leaves_.end());
    at->second.value = std::move(value);
}

const lwm2m::Value* ObjectTree::find(const Path& path) const {
    const auto at = leaves_.find(path);
    return at == leaves_.end() ? nullptr : &at->second.value;
}

void ObjectTree::remove(const Path& path) {
    std::erase_if(leaves_, [&](const auto& entry) { return path.contains(entry.first); });
}

lwm2m::ObjectList ObjectTree::objects() const {
    lwm2m::ObjectList list;
    for (const auto& [path, leaf] : leaves_) {
        if (list.objects.empty() || list.objects.back().id != path[0]) {
            list.objects.push_back({path[0], lwm2m::Version{1, 0}, {}});
        }
        std::vector<lwm2m::InstanceId>& instances = list.objects.back().instances;
        if (instances.empty() || instances.back() != path[1]) instances.push_back(path[1]);
    }
    return list;
}

Result<void> ObjectTree::read(const Path& path, lwm2m::Records& out) const {
    bool found = false;
    for (const auto& [at, leaf] : leaves_) {
        if (!path.contains(at)) continue;
        found = true;
        const bool readable = !leaf.action && leaf.access != Access::write;
        if (readable) {
            out.push_back({at, leaf.value, std::nullopt});
        } else if (path == at) {
            return not_allowed(path);
        }
    }
    if (!found) return nothing_there(path);
    return {};
}

// The values are checked before the first is changed.
Result<void> ObjectTree::write(const Path& base, std::span<const lwm2m::Record> records, WriteMode) {
    std::vector<lwm2m::Value> values;
    values.reserve(records.size());
    for (const lwm2m::Record& record : records) {
        const auto at = leaves_.find(record.path);
        if (at == leaves_.end()) return nothing_there(record.path);
        if (at->second.action || at->second.access == Access::read) return not_allowed(record.path);
        Result<lwm2m::Value> value = lwm2m::convert(record.value, lwm2m::type_of(at->second.value));
        if (!value) return value.error();
        values.push_back(std::move(*value));
    }
    if (records.empty() && list(base).empty()) return nothing_there(base);
    for (std::size_t i = 0; i < records.size(); ++i) leaves_[records[i].path].value = std::move(values[i]);
    if (on_written) {
        for (const lwm2m::Record& record : records) on_written(record.path);
    }
    return {};
}

Result<void> ObjectTree::execute(const Path& path, ByteView arguments) {
    const auto at = leaves_.find(path);
    if (at == leaves_.end()) return nothing_there(path);
    if (!at->second.action) return not_allowed(path);
    return at->second.action(arguments);
}

std::vector<Path> ObjectTree::list(const Path& path) const {
    std::vector<Path> paths;
    for (const auto& [at, leaf] : leaves_) {
        for (std::size_t size = 1; size <= 3; ++size) {
            const Path prefix = at.prefix(size);
            if (path.contains(prefix) && (paths.empty() || paths.back() < prefix)) paths.push_back(prefix);
        }
    }
    return paths;
}

lwm2m::Attributes ObjectTree::attributes(const Path& path) const {
    const auto at = attributes_.find(path);
    return at == attributes_.end() ? lwm2m::Attributes{} : at->second;
}

Result<void> ObjectTree::set_attributes(const Path& path, const lwm2m::Attributes& change) {
    if (list(path).empty()) return nothing_there(path);
    lwm2m::Attributes merged = lwm2m::merge(attributes(path), change);
    merged.unset.clear();
    const lwm2m::Value* value = find(path);
    const lwm2m::ValueType type = value == nullptr ? lwm2m::ValueType::none : lwm2m::type_of(*value);
    if (const Result<void> valid = lwm2m::validate(merged, path, type); !valid) return valid.error();
    if (attributes_.size() == kMaxAttributedPaths && !attributes_.contains(path)) {
        return make_error(Errc::resource_exhausted, "too many paths with attributes");
    }
    attributes_[path] = std::move(merged);
    return {};
}

}  // namespace lanyard::device
