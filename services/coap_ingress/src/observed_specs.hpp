#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "base/flat_map.hpp"
#include "lanyard/internal/v1/downlink.pb.h"
#include "registry_commands.hpp"

namespace lanyard::coap_ingress {

// What the spec numbers of observation tokens stand for: learnt from Observe requests that pass through this shard,
// otherwise asked of the registry, which saw them all. A spec never changes, so an entry stays right for ever.
class ObservedSpecs {
  public:
    using Request = internal::v1::CoapRequest;  // without token, Observe and Accept
    // Null when nobody knows it, or the registry does not answer.
    using Waiter = std::function<void(const Request*)>;

    explicit ObservedSpecs(RegistryCommands& commands) : commands_(commands) {}

    // Takes notice of a request to a device; nothing happens unless it is an Observe with a structured token.
    void learn(const Request& request);
    // Calls the waiter, maybe before it returns. False when too much waits; the waiter is then not called.
    [[nodiscard]] bool find(std::uint16_t spec, Waiter waiter);

  private:
    // Each waiter holds the first block of a notification.
    static constexpr std::size_t kWaitersMax = 1024;

    void on_result(std::uint16_t spec, const RegistryCommands::Result& result);

    RegistryCommands& commands_;
    FlatMap<std::uint16_t, Request> known_;
    FlatMap<std::uint16_t, std::vector<Waiter>> waiting_;
    std::size_t waiters_ = 0;
};

}  // namespace lanyard::coap_ingress
