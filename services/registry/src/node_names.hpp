#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "registry/device_store.hpp"

namespace lanyard::registry {

// Instance names of ingress nodes, in memory: asks the store once for each number. A number never gets another name.
// All on the service's loop.
class NodeNames {
  public:
    explicit NodeNames(DeviceStore& store);
    ~NodeNames();
    NodeNames(const NodeNames&) = delete;
    NodeNames& operator=(const NodeNames&) = delete;

    // Makes sure that the names of these nodes are known; calls back before it returns when they are. With the store's
    // error when it does not answer; a node that the store does not know is no error.
    void prepare(const std::vector<std::uint32_t>& nodes, Done<void> done);
    // Empty for 0, for a node that the store does not know, and for one that was not prepared.
    [[nodiscard]] std::string_view name(std::uint32_t node) const;

  private:
    struct Wait;
    void ask(std::uint32_t node, std::shared_ptr<Wait> wait);

    DeviceStore& store_;
    std::unordered_map<std::uint32_t, std::string> names_;
    std::shared_ptr<NodeNames*> alive_;
};

}  // namespace lanyard::registry
