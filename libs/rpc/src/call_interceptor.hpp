#pragma once

#include <memory>

#include <grpcpp/support/server_interceptor.h>

#include "telemetry/metrics.hpp"

namespace lanyard::rpc {

// Counts the calls of a server's public services: those of lanyard.*, without lanyard.internal.*, whose streams last as
// long as the processes and have numbers of their own.
[[nodiscard]] std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> make_call_interceptors(
    telemetry::MetricRegistry& metrics);

}  // namespace lanyard::rpc
