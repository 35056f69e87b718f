#include "outbox_pump.hpp"

#include <algorithm>
#include <unordered_set>
#include <utility>

namespace lanyard::registry {
namespace {

// How many of the entries may go together: up to the first device that comes twice.
std::size_t distinct_prefix(const std::vector<OutboxEntry>& entries) {
    std::unordered_set<std::uint32_t> seen;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        if (!seen.insert(entries[i].device.number.value).second) return i;
    }
    return entries.size();
}

}  // namespace

OutboxPump::OutboxPump(DeviceStore& store, EventPublisher& publisher, OutboxConfig config, std::string owner,
                       Clock clock)
    : store_(store),
      publisher_(publisher),
      config_(config),
      owner_(std::move(owner)),
      clock_(std::move(clock)),
      alive_(std::make_shared<OutboxPump*>(this)) {}

OutboxPump::~OutboxPump() {
    *alive_ = nullptr;
}

template <class T, class Call>
Done<T> OutboxPump::guarded(Call call) {
    return [alive = alive_, call](Result<T> result) mutable {
        if (*alive) call(**alive, std::move(result));
    };
}

void OutboxPump::hold(std::uint32_t partition, bool held) {
    partitions_[partition].held = held;
    if (!held) partitions_[partition].depth = 0;
    if (held) poke(partition);
}

void OutboxPump::poke(std::uint32_t number) {
    Partition& partition = partitions_[number];
    if (!partition.held) return;
    partition.again = true;
    if (partition.busy || clock_() < partition.not_before) return;
    if (in_flight_ + config_.batch_max > config_.in_flight_max) {
        if (!std::exchange(partition.blocked, true)) blocked_.push_back(number);
        return;
    }
    partition.busy = true;
    partition.again = false;
    in_flight_ += config_.batch_max;
    store_.outbox_read(number, config_.batch_max,
                       guarded<OutboxPage>([number](OutboxPump& self, Result<OutboxPage> page) {
                           self.on_read(number, std::move(page));
                       }));
}

void OutboxPump::poll() {
    for (std::uint32_t partition = 0; partition < identity::kPartitions; ++partition) poke(partition);
}

bool OutboxPump::idle() const {
    return std::none_of(partitions_.begin(), partitions_.end(), [](const Partition& p) { return p.busy; });
}

std::size_t OutboxPump::depth() const {
    std::size_t sum = 0;
    for (const Partition& partition : partitions_) sum += partition.depth;
    return sum;
}

void OutboxPump::on_read(std::uint32_t number, Result<OutboxPage> page) {
    Partition& partition = partitions_[number];
    if (!page) {
        pause(number);
        return finish(number);
    }
    partition.depth = page->depth;
    if (page->read == 0 || !partition.held) return finish(number);
    std::size_t count = page->read;
    // With an unreadable entry among them positions are not known; the page then goes as a whole.
    if (page->entries.size() == page->read) {
        count = distinct_prefix(page->entries);
        page->entries.resize(count);
    }
    if (page->depth > count) partition.again = true;
    publisher_.publish(std::move(page->entries), guarded<void>([number, count](OutboxPump& self, Result<void> result) {
                           self.on_published(number, count, std::move(result));
                       }));
}

void OutboxPump::on_published(std::uint32_t number, std::size_t count, Result<void> result) {
    if (!result) {
        ++failures_;
        pause(number);
        return finish(number);
    }
    published_ += count;
    store_.outbox_trim(number, owner_, count, guarded<void>([number, count](OutboxPump& self, Result<void> trimmed) {
                           self.on_trimmed(number, count, std::move(trimmed));
                       }));
}

void OutboxPump::on_trimmed(std::uint32_t number, std::size_t count, Result<void> result) {
    Partition& partition = partitions_[number];
    if (result) {
        partition.depth -= std::min(partition.depth, count);
    } else {
        pause(number);
    }
    finish(number);
}

void OutboxPump::pause(std::uint32_t partition) {
    partitions_[partition].not_before = clock_() + config_.retry_after;
}

void OutboxPump::finish(std::uint32_t number) {
    Partition& partition = partitions_[number];
    partition.busy = false;
    in_flight_ -= config_.batch_max;
    serve_blocked();
    if (partition.again) poke(number);
}

void OutboxPump::serve_blocked() {
    if (blocked_.empty()) return;
    const std::uint32_t number = blocked_.front();
    blocked_.pop_front();
    partitions_[number].blocked = false;
    poke(number);
}

}  // namespace lanyard::registry
