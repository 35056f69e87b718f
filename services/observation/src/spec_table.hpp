#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "lwm2m/path.hpp"
#include "observation/types.hpp"

namespace lanyard::observation {

// A spec as decoding needs it: the path for one, the root for several.
struct SpecPaths {
    Spec spec;
    lwm2m::Path base;
};

// The interned specs that this process knows. Specs never change, so an entry stays right for ever. Thread-safe.
class SpecTable {
  public:
    // Null when not known (yet).
    [[nodiscard]] std::shared_ptr<const SpecPaths> find(SpecId id) const;
    [[nodiscard]] std::optional<SpecId> find(const std::vector<std::string>& paths) const;
    void add(std::span<const Spec> specs);
    // Rises with each complete load from the store; 0 before the first.
    [[nodiscard]] std::uint64_t loads() const;
    void loaded(std::span<const Spec> all);
    [[nodiscard]] std::size_t size() const;

  private:
    void add_locked(const Spec& spec);

    mutable std::mutex mutex_;
    std::vector<std::shared_ptr<const SpecPaths>> by_id_;
    std::unordered_map<std::string, SpecId> by_paths_;
    std::uint64_t loads_ = 0;
};

}  // namespace lanyard::observation
