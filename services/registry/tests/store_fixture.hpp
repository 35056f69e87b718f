#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include <gtest/gtest.h>

#include "registry/device_store.hpp"
#include "registry/executor.hpp"

namespace lanyard::registry {

// Runs what the store hands over on the test's thread, in order.
class TestLoop {
  public:
    Executor executor() {
        return [this](runtime::Task task) {
            {
                const std::lock_guard lock(mutex_);
                tasks_.push_back(std::move(task));
            }
            ready_.notify_one();
        };
    }
    // Runs one task; waits for it up to five seconds.
    bool run_one() {
        std::unique_lock lock(mutex_);
        if (!ready_.wait_for(lock, std::chrono::seconds(5), [this] { return !tasks_.empty(); })) return false;
        runtime::Task task = std::move(tasks_.front());
        tasks_.pop_front();
        lock.unlock();
        task();
        return true;
    }
    // Runs what is there without waiting.
    std::size_t run_ready() {
        std::size_t ran = 0;
        for (;; ++ran) {
            {
                const std::lock_guard lock(mutex_);
                if (tasks_.empty()) return ran;
            }
            run_one();
        }
    }

  private:
    std::mutex mutex_;
    std::condition_variable ready_;
    std::deque<runtime::Task> tasks_;
};

// Calls a store and waits for the answer:
//   auto device = wait<DeviceRecord>(loop, [&](auto done) { store.get(name, std::move(done)); });
template <class T, class Call>
Result<T> wait(TestLoop& loop, Call call) {
    auto answer = std::make_shared<std::optional<Result<T>>>();
    call(Done<T>([answer](Result<T> result) { answer->emplace(std::move(result)); }));
    while (!answer->has_value()) {
        if (!loop.run_one()) return make_error(Errc::deadline_exceeded, "the store did not answer in 5 s");
    }
    return **answer;
}

}  // namespace lanyard::registry
