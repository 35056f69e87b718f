#include "prepare_grpc.hpp"

#include <absl/synchronization/mutex.h>

namespace lanyard::rpc {

void prepare_grpc() {
    // Debian builds Abseil with its checks: every lock that gRPC takes would be entered into a graph of all locks of
    // the process, to find cycles.
    absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
}

}  // namespace lanyard::rpc
