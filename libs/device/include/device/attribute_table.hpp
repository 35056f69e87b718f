#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "device/notify_rules.hpp"
#include "lwm2m/attributes.hpp"
#include "lwm2m/path.hpp"

namespace lanyard::device {

// The attributes that devices of a fleet have attached, each combination kept once: a device holds two bytes.
//
// Sets are never changed or freed, as a fleet is configured in few ways. Not thread-safe.
class AttributeTable {
  public:
    using SetId = std::uint16_t;
    // The set of a device that nobody has configured.
    static constexpr SetId kNone = 0;

    AttributeTable() : sets_(1) {}

    // The set that results from a Write-Attributes on a device with set `current`. invalid_argument: the result
    // breaks a rule of lwm2m::validate; resource_exhausted: over limits.hpp.
    [[nodiscard]] Result<SetId> change(SetId current, const lwm2m::Path& path, const lwm2m::Attributes& change);

    // What is attached to exactly this path.
    [[nodiscard]] lwm2m::Attributes at(SetId set, const lwm2m::Path& path) const;
    // What is in force for an observation of this path.
    [[nodiscard]] NotifyRules rules(SetId set, const lwm2m::Path& path) const;

    [[nodiscard]] std::size_t size() const { return sets_.size(); }

  private:
    using Set = std::vector<std::pair<lwm2m::Path, lwm2m::Attributes>>;  // ascending paths

    std::vector<Set> sets_;
};

}  // namespace lanyard::device
