#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "operation_codec.hpp"

namespace lanyard::registry {

// Dialects by the link lists that they are read from: the devices of a fleet announce much the same. Thread-safe.
class DialectCache {
  public:
    // So many lists are kept; then it begins anew. A longer list than kListBytes is read each time.
    static constexpr std::size_t kLists = 256;
    static constexpr std::size_t kListBytes = 4096;

    [[nodiscard]] std::shared_ptr<const DeviceDialect> of(const DeviceRecord& device);

  private:
    std::mutex mutex_;
    std::unordered_map<std::string, std::shared_ptr<const DeviceDialect>> dialects_;
};

}  // namespace lanyard::registry
