#include "lwm2m/model.hpp"

#include <algorithm>

namespace lanyard::lwm2m {
namespace {

// Rows of the generated table. Texts are offsets into the pools kNames and kDetails.
struct ObjectRow {
    std::uint16_t id;
    std::uint8_t major;
    std::uint8_t minor;
    std::uint16_t flags;
    std::uint16_t name;
    std::uint16_t first_resource;
    std::uint16_t resource_count;
};

struct ResourceRow {
    std::uint16_t id;
    // Bits 0 to 3: ValueType; then the kFlag constants.
    std::uint16_t flags;
    std::uint16_t name;
    std::uint16_t range;
    std::uint16_t units;
};

constexpr std::uint16_t kTypeMask = 15;
constexpr std::uint16_t kFlagRead = 16;
constexpr std::uint16_t kFlagWrite = 32;
constexpr std::uint16_t kFlagExecute = 64;
constexpr std::uint16_t kFlagMultiple = 128;
constexpr std::uint16_t kFlagMandatory = 256;

#include "model_table.inc"

ObjectModel to_model(const ObjectRow& row) {
    return {.id = row.id,
            .version = {row.major, row.minor},
            .name = &kNames[row.name],
            .multiple = (row.flags & kFlagMultiple) != 0,
            .mandatory = (row.flags & kFlagMandatory) != 0,
            .first_resource = row.first_resource,
            .resource_count = row.resource_count};
}

ResourceModel to_model(const ResourceRow& row) {
    return {.id = row.id,
            .name = &kNames[row.name],
            .type = static_cast<ValueType>(row.flags & kTypeMask),
            .readable = (row.flags & kFlagRead) != 0,
            .writable = (row.flags & kFlagWrite) != 0,
            .executable = (row.flags & kFlagExecute) != 0,
            .multiple = (row.flags & kFlagMultiple) != 0,
            .mandatory = (row.flags & kFlagMandatory) != 0,
            .range = &kDetails[row.range],
            .units = &kDetails[row.units]};
}

std::span<const ObjectRow> versions_of(ObjectId id) {
    const auto [first, last] =
        std::equal_range(std::begin(kObjects), std::end(kObjects), ObjectRow{id, 0, 0, 0, 0, 0, 0},
                         [](const ObjectRow& a, const ObjectRow& b) { return a.id < b.id; });
    return {first, last};
}

std::span<const ResourceRow> rows_of(const ObjectModel& object) {
    return std::span(kResources).subspan(object.first_resource, object.resource_count);
}

}  // namespace

std::optional<ObjectModel> find_object(ObjectId id, std::optional<Version> version) {
    const auto rows = versions_of(id);
    if (rows.empty()) return std::nullopt;
    if (!version) return to_model(rows.back());
    const ObjectRow* best = nullptr;
    int best_distance = 0;
    for (const auto& row : rows) {
        const int distance = std::abs(row.minor - version->minor);
        if (row.major != version->major || (best && distance >= best_distance)) continue;
        best = &row;
        best_distance = distance;
    }
    return best ? std::optional(to_model(*best)) : std::nullopt;
}

std::optional<ResourceModel> find_resource(const ObjectModel& object, ResourceId id) {
    const auto rows = rows_of(object);
    const auto at = std::lower_bound(rows.begin(), rows.end(), id,
                                     [](const ResourceRow& row, ResourceId wanted) { return row.id < wanted; });
    return at != rows.end() && at->id == id ? std::optional(to_model(*at)) : std::nullopt;
}

std::vector<ResourceModel> resources_of(const ObjectModel& object) {
    std::vector<ResourceModel> resources;
    resources.reserve(object.resource_count);
    for (const auto& row : rows_of(object)) resources.push_back(to_model(row));
    return resources;
}

std::vector<ObjectModel> registry_objects() {
    std::vector<ObjectModel> objects;
    objects.reserve(std::size(kObjects));
    for (const auto& row : kObjects) objects.push_back(to_model(row));
    return objects;
}

std::optional<ResourceModel> RegistryModels::resource(ObjectId object, ResourceId id) const {
    const auto named =
        std::find_if(announced_.begin(), announced_.end(), [&](const auto& entry) { return entry.first == object; });
    const auto model = find_object(object, named == announced_.end() ? std::nullopt : std::optional(named->second));
    return model ? find_resource(*model, id) : std::nullopt;
}

const ModelView& registry_models() {
    static const RegistryModels kModels;
    return kModels;
}

}  // namespace lanyard::lwm2m
