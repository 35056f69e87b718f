#pragma once

#include <memory>
#include <string>

#include "runtime/deadline.hpp"
#include "runtime/task.hpp"

namespace lanyard::runtime {

// A named thread that is joined, at latest by the destructor.
class Thread {
  public:
    Thread();
    // The system shows the first 15 characters of the name. SIGTERM, SIGINT and SIGHUP are blocked in it.
    Thread(std::string name, Task body);
    Thread(Thread&&) noexcept;
    Thread& operator=(Thread&&) noexcept;
    // Waits without limit: tell the body to end first.
    ~Thread();

    // False if the body did not return by the deadline; it may be joined again.
    [[nodiscard]] bool join(Deadline deadline);
    [[nodiscard]] bool joinable() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

// Processors that this process may run on (its affinity, as taskset and cpusets set it); at least 1.
[[nodiscard]] unsigned usable_processors();

}  // namespace lanyard::runtime
