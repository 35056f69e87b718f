#pragma once

#include <chrono>

#include "base/time.hpp"

namespace grpc {
class ClientContext;
class ServerContextBase;
}  // namespace grpc

namespace lanyard::rpc {

// When a call without a deadline of its own has to be answered.
inline constexpr std::chrono::seconds kDefaultDeadline{30};

// The client's deadline on the steady clock, or now + `fallback` when it gave none; never later than
// now + `cap`.
[[nodiscard]] SteadyTime deadline_of(const grpc::ServerContextBase& context, SteadyTime now,
                                     std::chrono::milliseconds fallback = kDefaultDeadline,
                                     std::chrono::milliseconds cap = std::chrono::hours(1));

// Sets the deadline of an outgoing call.
void set_deadline(grpc::ClientContext& context, SteadyTime deadline, SteadyTime now);
void set_timeout(grpc::ClientContext& context, std::chrono::milliseconds timeout);

}  // namespace lanyard::rpc
