#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "operation_codec.hpp"

namespace lanyard::registry {

// Dialects by the link lists that they are read from, since the devices of a fleet announce much the same; each has a
// number. Thread-safe.
class DialectTable {
  public:
    using Dialect = std::shared_ptr<const DeviceDialect>;

    // So many lists are kept; then it begins anew, with numbers that were not used before. Longer lists than kListBytes
    // are not kept.
    static constexpr std::size_t kLists = 1024;
    static constexpr std::size_t kListBytes = 4096;

    // The number of a registration's dialect, which is read if it must be; 0: the list is too long to be kept.
    [[nodiscard]] std::uint32_t number_of(const RegistrationInfo& registration);
    // Nothing: it is not kept any more.
    [[nodiscard]] Dialect find(std::uint32_t number) const;

  private:
    mutable std::mutex mutex_;
    std::unordered_map<std::string, std::uint32_t> numbers_;
    std::vector<Dialect> dialects_;  // from number first_ on
    std::uint32_t first_ = 1;
};

}  // namespace lanyard::registry
