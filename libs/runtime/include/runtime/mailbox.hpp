#pragma once

#include <cstddef>
#include <mutex>
#include <utility>
#include <vector>

#include "runtime/poller.hpp"

namespace lanyard::runtime {

// A bounded queue from many threads to one that sits in a Poller. The consumer takes everything in one swap; the
// eventfd is written only when the consumer said that it goes to sleep, so a busy consumer costs no system call.
//
//   for (;;) {
//       auto timeout = mailbox.prepare_to_sleep() ? timers.next(now) : Duration::zero();
//       poller.wait(timeout);
//       mailbox.drain(batch);
//       for (auto& m : batch) handle(m);
//   }
template <class T>
class Mailbox {
  public:
    // `wakeup` must outlive the mailbox; several mailboxes of one consumer may share it.
    Mailbox(std::size_t capacity, const Wakeup& wakeup) : capacity_(capacity), wakeup_(&wakeup) {}

    // Any thread. False and `message` untouched when it is full: the caller answers resource_exhausted.
    [[nodiscard]] bool push(T&& message) {
        bool wake = false;
        {
            const std::lock_guard lock(mutex_);
            if (messages_.size() >= capacity_) return false;
            messages_.push_back(std::move(message));
            wake = std::exchange(sleeping_, false);
        }
        if (wake) wakeup_->notify();
        return true;
    }

    // Consumer only: puts all messages, oldest first, into `out` (emptied before; its capacity is recycled).
    void drain(std::vector<T>& out) {
        out.clear();
        const std::lock_guard lock(mutex_);
        sleeping_ = false;
        out.swap(messages_);
    }

    // Consumer only, before it blocks. False: there are messages, do not block. True: the next push() notifies.
    [[nodiscard]] bool prepare_to_sleep() {
        const std::lock_guard lock(mutex_);
        sleeping_ = messages_.empty();
        return sleeping_;
    }

    [[nodiscard]] std::size_t size() const {
        const std::lock_guard lock(mutex_);
        return messages_.size();
    }

  private:
    const std::size_t capacity_;
    const Wakeup* wakeup_;
    mutable std::mutex mutex_;
    std::vector<T> messages_;
    bool sleeping_ = false;
};

}  // namespace lanyard::runtime
