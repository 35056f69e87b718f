#include "outbox_pump.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace lanyard::registry {
namespace {

// Hints go out at once, but not more often than this.
constexpr Duration kHintPause = std::chrono::milliseconds(10);

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
    return [alive = alive_, call = std::move(call)](Result<T> result) mutable {
        if (*alive) call(**alive, std::move(result));
    };
}

void OutboxPump::hold(std::uint32_t partition, bool held) {
    partitions_[partition].held = held;
    ++partitions_[partition].term;
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
                       guarded<OutboxPage>([number, term = partition.term](OutboxPump& self, Result<OutboxPage> page) {
                           self.on_read(number, term, std::move(page));
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

void OutboxPump::on_read(std::uint32_t number, std::uint32_t term, Result<OutboxPage> page) {
    Partition& partition = partitions_[number];
    if (!page) {
        pause(number);
        return finish(number);
    }
    if (partition.term != term) return finish(number);
    partition.depth = page->depth;
    if (page->elements == 0) return finish(number);
    partition.more = page->depth > page->elements;
    const Batch batch{term, page->elements, page->entries.size(), page->unreadable};
    publisher_.publish(std::move(page->entries), guarded<void>([number, batch](OutboxPump& self, Result<void> result) {
                           self.on_published(number, batch, std::move(result));
                       }));
}

// Another replica may have published and trimmed since the lease was lost: then the front of the outbox is no longer
// what was read.
void OutboxPump::on_published(std::uint32_t number, const Batch& batch, Result<void> result) {
    if (!result) {
        ++failures_;
        pause(number);
        return finish(number);
    }
    published_ += batch.events;
    if (partitions_[number].term != batch.term) return finish(number);
    store_.outbox_trim(number, owner_, batch.elements,
                       guarded<void>([number, batch](OutboxPump& self, Result<void> done) {
                           self.on_trimmed(number, batch, std::move(done));
                       }));
}

void OutboxPump::on_trimmed(std::uint32_t number, const Batch& batch, Result<void> result) {
    Partition& partition = partitions_[number];
    if (result) {
        partition.depth -= std::min(partition.depth, batch.elements);
        unreadable_ += batch.unreadable;
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
