#include "interrupt.hpp"

#include <string_view>
#include <utility>

namespace lanyard::cli {
namespace {

constexpr const char* kDone = "done";

}  // namespace

Interrupt::Interrupt(runtime::StopSignals& signals, std::function<void()> action)
    : signals_(signals), thread_("interrupt", [this, action = std::move(action)] {
          while (signals_.wait() != kDone) {
              {
                  const std::lock_guard lock(mutex_);
                  happened_ = true;
              }
              changed_.notify_all();
              action();
          }
      }) {}

Interrupt::~Interrupt() {
    signals_.request_stop(kDone);
}  // then thread_ joins itself

bool Interrupt::happened() const {
    const std::lock_guard lock(mutex_);
    return happened_;
}

bool Interrupt::wait(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    return !changed_.wait_for(lock, time, [this] { return happened_; });
}

}  // namespace lanyard::cli
