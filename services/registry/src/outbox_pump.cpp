#include "outbox_pump.hpp"

#include <algorithm>
#include <iterator>
#include <unordered_set>
#include <utility>

namespace lanyard::registry {
namespace {

// Hints go out at once, but not more often than this.
constexpr Duration kHintPause = std::chrono::milliseconds(10);

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
                       Clock clock, Fenced fenced)
    : store_(store),
      publisher_(publisher),
      config_(config),
      owner_(std::move(owner)),
      clock_(std::move(clock)),
      fenced_(std::move(fenced)),
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
    if (held) read(partition);
}

void OutboxPump::poke(std::uint32_t partition) {
    if (partitions_[partition].held) {
        if (clock_() - partitions_[partition].looked >= config_.gather) return read(partition);
        partitions_[partition].again = true;
        return;
    }
    hints_.insert(partition);
    if (clock_() - hinted_ >= kHintPause) send_hints();
}

void OutboxPump::send_hints() {
    hinted_ = clock_();
    if (hints_.empty()) return;
    store_.mark_changed({hints_.begin(), hints_.end()}, [](Result<void>) {});
    hints_.clear();
}

void OutboxPump::on_hints(const std::vector<std::uint32_t>& partitions) {
    std::vector<std::uint32_t> mine;
    std::copy_if(partitions.begin(), partitions.end(), std::back_inserter(mine),
                 [this](std::uint32_t partition) { return partitions_[partition].held; });
    if (mine.empty()) return;
    store_.clear_changed(mine, [](Result<void>) {});
    for (const std::uint32_t partition : mine) read(partition);
}

void OutboxPump::read(std::uint32_t number) {
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
    partition.looked = clock_();
    in_flight_ += config_.batch_max;
    store_.outbox_read(number, config_.batch_max,
                       guarded<OutboxPage>([number](OutboxPump& self, Result<OutboxPage> page) {
                           self.on_read(number, std::move(page));
                       }));
}

void OutboxPump::tick() {
    for (std::uint32_t partition = 0; partition < identity::kPartitions; ++partition) {
        if (partitions_[partition].again && !partitions_[partition].busy) read(partition);
    }
}

void OutboxPump::poll() {
    send_hints();
    store_.changed(guarded<std::vector<std::uint32_t>>([](OutboxPump& self, Result<std::vector<std::uint32_t>> hints) {
        if (hints) self.on_hints(*hints);
    }));
    tick();
    turn_ = (turn_ + 1) % identity::kPartitions;
    if (!partitions_[turn_].busy) read(turn_);
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
    partition.more = page->depth > count;
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
        if (fenced_ && result.error().code == Errc::failed_precondition) fenced_(number);
    }
    finish(number);
}

void OutboxPump::pause(std::uint32_t partition) {
    partitions_[partition].not_before = clock_() + config_.retry_after;
    partitions_[partition].again = true;
}

void OutboxPump::finish(std::uint32_t number) {
    Partition& partition = partitions_[number];
    partition.busy = false;
    in_flight_ -= config_.batch_max;
    serve_blocked();
    if (std::exchange(partition.more, false)) read(number);
}

void OutboxPump::serve_blocked() {
    if (blocked_.empty()) return;
    const std::uint32_t number = blocked_.front();
    blocked_.pop_front();
    partitions_[number].blocked = false;
    read(number);
}

}  // namespace lanyard::registry
