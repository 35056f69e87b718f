#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>

#include "base/time.hpp"
#include "registry/device_store.hpp"

namespace lanyard::registry {

// Ends registrations whose pledge has passed, in the partitions that this replica holds: script call after script
// call while there is more, a few partitions at a time so that commands of live devices get through in between.
// All on the service's loop.
class ExpiryLoop {
  public:
    struct Events {
        std::function<bool(std::uint32_t partition)> holds;
        std::function<void(std::uint32_t partition, std::size_t ended)> expired;
        std::function<UnixMillis()> now_ms;
    };

    ExpiryLoop(DeviceStore& store, std::size_t batch, Events events);
    ~ExpiryLoop();
    ExpiryLoop(const ExpiryLoop&) = delete;
    ExpiryLoop& operator=(const ExpiryLoop&) = delete;

    // Looks at every held partition that is not being looked at and in which something may have fallen due: once in
    // each step of kExpiryStepSeconds, and not while the store said that nothing will.
    void round();
    [[nodiscard]] bool idle() const { return running_ == 0; }

  private:
    static constexpr std::size_t kConcurrent = 4;

    void start_waiting();
    [[nodiscard]] std::int64_t current_step() const;
    void step(std::uint32_t partition);

    DeviceStore& store_;
    const std::size_t batch_;
    const Events events_;
    std::array<bool, identity::kPartitions> queued_{};
    std::array<std::int64_t, identity::kPartitions> next_{};  // the step of the next look
    std::deque<std::uint32_t> waiting_;
    std::size_t running_ = 0;
    std::shared_ptr<ExpiryLoop*> alive_;
};

}  // namespace lanyard::registry
