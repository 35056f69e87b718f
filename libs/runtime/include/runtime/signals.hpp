#pragma once

#include <atomic>
#include <optional>
#include <string>

#include "base/time.hpp"
#include "runtime/file_descriptor.hpp"
#include "runtime/poller.hpp"

namespace lanyard::runtime {

// Takes SIGTERM and SIGINT as values (signalfd) instead of handlers. Create one in main before any thread starts:
// the signals stay blocked in threads made afterwards. SIGPIPE is ignored from then on.
class StopSignals {
  public:
    StopSignals();

    // Blocks until a signal, request_stop() or the timeout. Gives the reason ("SIGTERM", or what was requested),
    // nothing on a timeout. A second signal makes a second answer.
    [[nodiscard]] std::optional<std::string> wait(Duration timeout);
    [[nodiscard]] std::string wait();

    // From any thread: as if a signal came. `reason` is a string literal.
    void request_stop(const char* reason);

  private:
    FileDescriptor signals_;
    Wakeup requested_;
    std::atomic<const char*> reason_{nullptr};
};

}  // namespace lanyard::runtime
