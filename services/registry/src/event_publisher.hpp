#pragma once

#include <vector>

#include "registry/device_store.hpp"

namespace lanyard::registry {

// Where lifecycle events go. Called on the service's loop.
class EventPublisher {
  public:
    virtual ~EventPublisher() = default;
    // Publishes in order. `done` comes on the loop when all are acknowledged, or with the first error; then any of
    // them may or may not have been published.
    virtual void publish(std::vector<OutboxEntry> entries, Done<void> done) = 0;
};

}  // namespace lanyard::registry
