#pragma once

#include <functional>

#include "base/time.hpp"

namespace lanyard::observation {

// The thread that control work runs on: what it runs needs no lock. Implemented by runtime::EventLoop, and by a fake
// with a time of its own in tests.
class Scheduler {
  public:
    virtual ~Scheduler() = default;
    // Any thread.
    virtual void post(std::function<void()> task) = 0;
    // Runs the task once, not before `delay`. Any thread.
    virtual void after(Duration delay, std::function<void()> task) = 0;
};

}  // namespace lanyard::observation
