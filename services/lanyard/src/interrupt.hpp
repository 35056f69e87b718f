#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>

#include "runtime/signals.hpp"
#include "runtime/thread.hpp"

namespace lanyard::cli {

// While it lives, Ctrl-C and SIGTERM run `action` on a thread of its own. One at a time in a program.
class Interrupt {
  public:
    Interrupt(runtime::StopSignals& signals, std::function<void()> action);
    ~Interrupt();
    Interrupt(const Interrupt&) = delete;
    Interrupt& operator=(const Interrupt&) = delete;

    [[nodiscard]] bool happened() const;
    // Waits; false when interrupted before the time was over.
    [[nodiscard]] bool wait(std::chrono::milliseconds time);

  private:
    runtime::StopSignals& signals_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    bool happened_ = false;
    runtime::Thread thread_;
};

}  // namespace lanyard::cli
