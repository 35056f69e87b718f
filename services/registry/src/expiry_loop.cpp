#include "expiry_loop.hpp"

#include <utility>

namespace lanyard::registry {

ExpiryLoop::ExpiryLoop(DeviceStore& store, std::size_t batch, Events events)
    : store_(store), batch_(batch), events_(std::move(events)), alive_(std::make_shared<ExpiryLoop*>(this)) {}

ExpiryLoop::~ExpiryLoop() {
    *alive_ = nullptr;
}

void ExpiryLoop::round() {
    for (std::uint32_t partition = 0; partition < identity::kPartitions; ++partition) {
        if (queued_[partition] || !events_.holds(partition)) continue;
        queued_[partition] = true;
        waiting_.push_back(partition);
    }
    start_waiting();
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
    store_.expire_due(partition, events_.now_ms(), batch_,
                      [alive = alive_, partition](Result<ExpiryProgress> progress) {
                          if (!*alive) return;
                          ExpiryLoop& self = **alive;
                          if (progress && progress->expired > 0) self.events_.expired(partition, progress->expired);
                          if (progress && progress->more && self.events_.holds(partition)) return self.step(partition);
                          self.queued_[partition] = false;
                          --self.running_;
                          self.start_waiting();
                      });
}

}  // namespace lanyard::registry
