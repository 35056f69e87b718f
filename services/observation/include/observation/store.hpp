#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "observation/types.hpp"

namespace lanyard::redis {
class Client;
}

namespace lanyard::observation {

// A device has at most this many observations of its own.
inline constexpr std::size_t kMaxOwnObservations = 64;
// A tenant has at most this many templates.
inline constexpr std::size_t kMaxTemplates = 1000;

// What the service keeps beyond its own life, shared by all its replicas (docs/redis-observation.md).
//
// Every call answers exactly once through `done`, possibly before it returns, on any thread; `done` must not block.
// Errors besides those named: unavailable and deadline_exceeded (the store does not answer; a change may or may not
// have happened; every change may be repeated), resource_exhausted. All methods are thread-safe.
class ObservationStore {
  public:
    template <class T>
    using Done = std::function<void(Result<T>)>;

    virtual ~ObservationStore() = default;

    // The number of this list of paths, the same for ever. resource_exhausted when all 65535 are given away.
    virtual void intern_spec(const std::vector<std::string>& paths, Done<SpecId> done) = 0;
    virtual void load_specs(Done<std::vector<Spec>> done) = 0;

    // `replace` false: already_exists when the tenant has one of that id. resource_exhausted over kMaxTemplates.
    virtual void put_template(const Template& entry, bool replace, Done<void> done) = 0;
    // not_found when there is none.
    virtual void delete_template(std::string_view tenant, std::string_view id, Done<void> done) = 0;
    // Templates of all tenants, by tenant and id.
    virtual void load_templates(Done<TemplateSet> done) = 0;
    // TemplateSet::version alone, to see changes of other replicas cheaply.
    virtual void template_version(Done<std::uint64_t> done) = 0;

    // Empty when nothing is known.
    virtual void load_device(DeviceNumber device, Done<DeviceRecord> done) = 0;
    // already_exists for the same id, resource_exhausted over kMaxOwnObservations.
    virtual void add_own(DeviceNumber device, const OwnObservation& own, Done<void> done) = 0;
    // not_found when there is none.
    virtual void remove_own(DeviceNumber device, std::string_view id, Done<void> done) = 0;
    // Sets states (an older generation does not replace a newer one, nor an older word of the same generation) and
    // erases those of `gone`.
    virtual void save_states(DeviceNumber device, std::span<const ObservationState> states,
                             std::span<const SpecId> gone, Done<void> done) = 0;

    // Merges many devices' values in one go; of each path and spec the newest stays.
    using LatestUpdate = std::pair<DeviceNumber, LatestRecord>;
    virtual void merge_latest(std::span<const LatestUpdate> updates, Done<void> done) = 0;
    // By path, then by spec.
    virtual void load_latest(DeviceNumber device, Done<LatestRecord> done) = 0;

    // Everything of a device that was deleted.
    virtual void forget_device(DeviceNumber device, Done<void> done) = 0;
};

// For `lanyard dev` and tests: in memory, answers at once.
[[nodiscard]] std::shared_ptr<ObservationStore> make_memory_store();
// On a Redis server; `client` must outlive the store and every answer.
[[nodiscard]] std::shared_ptr<ObservationStore> make_redis_store(redis::Client& client);

}  // namespace lanyard::observation
