#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "event_publisher.hpp"
#include "registry/config.hpp"
#include "registry/device_store.hpp"

namespace lanyard::registry {

// Moves events from the outboxes of held partitions to the publisher: reads a page, publishes it, waits for the
// acknowledgements, trims. A crash in between publishes again, with the same event ids.
//
// A page holds at most one event of each device, so that one that fails while a later one is stored cannot swap
// two events of a device.
//
// Under load a partition is read every OutboxConfig::gather, so that its changes travel together: to Redis, and in one
// request to Kafka; what is known to be left is read without a pause.
//
// Outboxes are read when something is known to be in them: after a change that this replica made, or by the hint of
// another one. Now and then each is read without a reason, for a hint may be lost with its replica. All on the
// service's loop; answers that come after destruction are ignored.
class OutboxPump {
  public:
    using Clock = std::function<SteadyTime()>;
    // The store says that the lease of this partition is somebody else's.
    using Fenced = std::function<void(std::uint32_t partition)>;

    OutboxPump(DeviceStore& store, EventPublisher& publisher, OutboxConfig config, std::string owner, Clock clock,
               Fenced fenced = {});
    ~OutboxPump();
    OutboxPump(const OutboxPump&) = delete;
    OutboxPump& operator=(const OutboxPump&) = delete;

    // Begins or stops to serve a partition; a batch in flight is finished.
    void hold(std::uint32_t partition, bool held);
    // This replica has put something in: reads it, or tells the replica that holds the partition.
    void poke(std::uint32_t partition);
    // To be called every OutboxConfig::gather: reads what changed since its partition was read.
    void tick();
    // To be called every OutboxConfig::poll: reads what others hinted at, what has to be tried again, and one more
    // partition in turn.
    void poll();
    // Nothing of this partition is in flight.
    [[nodiscard]] bool idle(std::uint32_t partition) const { return !partitions_[partition].busy; }
    [[nodiscard]] bool idle() const;
    // Elements that wait in held partitions, as last seen: events, and a few more.
    [[nodiscard]] std::size_t depth() const;
    [[nodiscard]] std::uint64_t published() const { return published_; }
    [[nodiscard]] std::uint64_t failures() const { return failures_; }
    // Events that were passed over because nobody can read them.
    [[nodiscard]] std::uint64_t unreadable() const { return unreadable_; }

  private:
    struct Partition {
        bool held = false;
        bool busy = false;
        bool again = false;    // something may be in it
        bool more = false;     // there was more than what was read
        bool blocked = false;  // stands in blocked_
        SteadyTime not_before;
        SteadyTime looked;       // when it was read
        std::uint32_t term = 0;  // counts how often it was taken and lost
        std::size_t depth = 0;
    };

    // A page in flight.
    struct Batch {
        std::uint32_t term = 0;  // of the partition when it was read
        std::size_t elements = 0;
        std::size_t events = 0;
        std::size_t unreadable = 0;
    };

    void read(std::uint32_t partition);
    void send_hints();
    void on_hints(const std::vector<std::uint32_t>& partitions);
    void on_read(std::uint32_t partition, std::uint32_t term, Result<OutboxPage> page);
    void on_published(std::uint32_t partition, const Batch& batch, Result<void> result);
    void on_trimmed(std::uint32_t partition, const Batch& batch, Result<void> result);
    void pause(std::uint32_t partition);
    void finish(std::uint32_t partition);
    void serve_blocked();
    // Wraps a member so that it is not called after destruction.
    template <class T, class Call>
    Done<T> guarded(Call call);

    DeviceStore& store_;
    EventPublisher& publisher_;
    const OutboxConfig config_;
    const std::string owner_;
    const Clock clock_;
    const Fenced fenced_;
    std::array<Partition, identity::kPartitions> partitions_;
    std::deque<std::uint32_t> blocked_;  // wait for in_flight_max, first come first served
    std::set<std::uint32_t> hints_;      // to be sent
    SteadyTime hinted_;                  // when the last were sent
    std::uint32_t turn_ = 0;
    std::size_t in_flight_ = 0;
    std::uint64_t published_ = 0;
    std::uint64_t failures_ = 0;
    std::uint64_t unreadable_ = 0;
    std::shared_ptr<OutboxPump*> alive_;
};

}  // namespace lanyard::registry
