#include "expiry_loop.hpp"

#include <algorithm>
#include <utility>

namespace lanyard::registry {

ExpiryLoop::ExpiryLoop(DeviceStore& store, std::size_t batch, Events events)
    : store_(store), batch_(batch), events_(std::move(events)), alive_(std::make_shared<ExpiryLoop*>(this)) {}

ExpiryLoop::~ExpiryLoop() {
    *alive_ = nullptr;
}

void ExpiryLoop::round() {
    const std::int64_t step = current_step();
    for (std::uint32_t partition = 0; partition < identity::kPartitions; ++partition) {
        const bool held = events_.holds(partition);
        if (!held) next_[partition] = 0;
        if (!held || queued_[partition] || step < next_[partition]) continue;
        queued_[partition] = true;
        waiting_.push_back(partition);
    }
    start_waiting();
}

std::int64_t ExpiryLoop::current_step() const {
    return events_.now_ms() / (kExpiryStepSeconds * 1000);
}

void ExpiryLoop::start_waiting() {
    while (running_ < kConcurrent && !waiting_.empty()) {
        const std::uint32_t partition = waiting_.front();
        waiting_.pop_front();
        ++running_;
        step(partition);
    }
}

void ExpiryLoop::step(std::uint32_t partition) {
    const std::int64_t now_step = current_step();
    store_.expire_due(partition, events_.now_ms(), batch_,
                      [alive = alive_, partition, now_step](Result<ExpiryProgress> progress) {
                          if (!*alive) return;
                          ExpiryLoop& self = **alive;
                          if (progress && progress->expired > 0) self.events_.expired(partition, progress->expired);
                          if (progress && progress->more && self.events_.holds(partition)) return self.step(partition);
                          if (progress && !progress->more) {
                              self.next_[partition] =
                                  now_step + std::max<std::int64_t>(1, progress->quiet.count() / kExpiryStepSeconds);
                          }
                          self.queued_[partition] = false;
                          --self.running_;
                          self.start_waiting();
                      });
}

}  // namespace lanyard::registry
