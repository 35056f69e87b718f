#include "rpc/deadline.hpp"

#include <algorithm>

#include <grpcpp/client_context.h>
#include <grpcpp/server_context.h>

namespace lanyard::rpc {

SteadyTime deadline_of(const grpc::ServerContextBase& context, SteadyTime now, std::chrono::milliseconds fallback,
                       std::chrono::milliseconds cap) {
    const auto deadline = context.deadline();  // on the system clock; without one it is the end of time
    if (deadline == std::chrono::system_clock::time_point::max()) return now + std::min(fallback, cap);
    const auto left = deadline - std::chrono::system_clock::now();
    if (left >= cap) return now + cap;
    return now + std::chrono::duration_cast<Duration>(left);
}

void set_deadline(grpc::ClientContext& context, SteadyTime deadline, SteadyTime now) {
    context.set_deadline(std::chrono::system_clock::now() +
                         std::chrono::duration_cast<std::chrono::system_clock::duration>(deadline - now));
}

void set_timeout(grpc::ClientContext& context, std::chrono::milliseconds timeout) {
    context.set_deadline(std::chrono::system_clock::now() + timeout);
}

}  // namespace lanyard::rpc
