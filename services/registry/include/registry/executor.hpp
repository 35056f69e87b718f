#pragma once

#include <functional>

#include "runtime/task.hpp"

namespace lanyard::registry {

// Runs a task on the service's event loop (later, never inside the call), in the order of the calls. Any thread.
using Executor = std::function<void(runtime::Task)>;
// The same for new work from outside: false when too much waits already; the task is dropped.
using TryExecutor = std::function<bool(runtime::Task)>;

}  // namespace lanyard::registry
