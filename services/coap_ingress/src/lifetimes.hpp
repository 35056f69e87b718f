#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/timer_wheel.hpp"
#include "registry_commands.hpp"
#include "shard_context.hpp"

namespace lanyard::coap_ingress {

// Expiry by the pledge (docs/adr/0003): the true deadline of a registration is kept here, the registry holds an upper
// bound of it. Updates only write a time into the record; its timer finds out when it fires. What was heard is told to
// the registry in batches (Touch), silence one by one when it is certain (Expire).
class Lifetimes {
  public:
    Lifetimes(ShardContext& context, RegistryCommands& commands);

    // A registration began or was taken over.
    void watch(Device& device);
    // Before it is erased.
    void forget(const Device& device);
    // Something was heard of the device: the registry learns it within a quarter of the lifetime.
    void touch(Device& device);
    // Whether an Update may be acknowledged without asking the registry.
    [[nodiscard]] bool pledged(const Device& device) const;

    void on_timer();
    // Tells everything that waits, now.
    void flush();

  private:
    static constexpr std::size_t kRing = 64;  // seconds; lifetime.touch_interval is below
    static constexpr int kTouchBatch = 8192;

    void on_deadline(RegistrationTable::Slot slot);
    void send_expired();
    void send_touches(std::vector<std::uint32_t>& numbers);
    void send_touch(internal::v1::Touch&& touch);
    void on_touch_result(const internal::v1::Touch& touch, bool stored);
    [[nodiscard]] std::uint32_t pledge_for(const Device& device) const;

    ShardContext& context_;
    RegistryCommands& commands_;
    TimerWheel wheel_;
    std::vector<std::uint32_t> expired_;
    std::array<std::vector<std::uint32_t>, kRing> ring_;  // device numbers by the second of their Touch
    ShardSeconds swept_ = 0;
};

}  // namespace lanyard::coap_ingress
