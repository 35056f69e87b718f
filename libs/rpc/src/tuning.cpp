#include "tuning.hpp"

#include <absl/synchronization/mutex.h>

namespace lanyard::rpc {

// Debian builds Abseil without NDEBUG, so each lock that gRPC takes is put into a graph, under a lock of all threads,
// to find deadlocks of gRPC's own. That is some per cent of the CPU of every call.
void tune_grpc() {
    absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
}

}  // namespace lanyard::rpc
