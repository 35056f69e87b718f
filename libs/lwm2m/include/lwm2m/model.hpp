#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "lwm2m/path.hpp"
#include "lwm2m/value.hpp"
#include "lwm2m/version.hpp"

namespace lanyard::lwm2m {

// What an object definition says of one resource. The texts live as long as the model they come from.
struct ResourceModel {
    ResourceId id = 0;
    std::string_view name{};
    ValueType type = ValueType::none;
    bool readable = false;
    bool writable = false;
    bool executable = false;
    bool multiple = false;
    bool mandatory = false;
    // The text of the registry, "0..100"; empty when there is none.
    std::string_view range{};
    // As the registry gives it, nearly always a SenML unit ("Cel", "%RH", "lat"); empty when there is none.
    std::string_view units{};
};

// One version of one object definition. The text lives as long as the model it comes from.
struct ObjectModel {
    ObjectId id = 0;
    Version version{};
    std::string_view name{};
    bool multiple = false;
    bool mandatory = false;
    std::size_t first_resource = 0;
    std::size_t resource_count = 0;
};

// What a codec needs to know of object models. Implementations are immutable or swap themselves: const calls may
// come from any thread.
class ModelView {
  public:
    virtual ~ModelView() = default;
    // nullopt: the object or resource is not known; its values are then decoded by what the payload itself says.
    [[nodiscard]] virtual std::optional<ResourceModel> resource(ObjectId object, ResourceId id) const = 0;
};

// The objects of the OMA registry, compiled in: the newest version of each, and the older ones of the core objects.
// Everything is static data; all functions are thread-safe and do not allocate unless they return a vector.

// The given version; when that is not in the table, the closest of the same major version; nullopt when there is
// none. Without a version: the newest.
std::optional<ObjectModel> find_object(ObjectId id, std::optional<Version> version = std::nullopt);
std::optional<ResourceModel> find_resource(const ObjectModel& object, ResourceId id);
// In ascending order of ids.
std::vector<ResourceModel> resources_of(const ObjectModel& object);
// Every entry of the table, by id, then version.
std::vector<ObjectModel> registry_objects();

// The registry as one device speaks it: the newest version of each object, but for the objects named here.
class RegistryModels final : public ModelView {
  public:
    RegistryModels() = default;
    explicit RegistryModels(std::span<const std::pair<ObjectId, Version>> announced)
        : announced_(announced.begin(), announced.end()) {}
    [[nodiscard]] std::optional<ResourceModel> resource(ObjectId object, ResourceId id) const override;

  private:
    std::vector<std::pair<ObjectId, Version>> announced_{};
};

// A shared RegistryModels with the newest versions.
const ModelView& registry_models();

}  // namespace lanyard::lwm2m
