#pragma once

#include <string_view>

#include <grpcpp/support/status.h>

#include "base/time.hpp"

namespace lanyard::telemetry {
class MetricRegistry;
}

namespace lanyard::rpc {

// One finished call into grpc_server_handled_total and grpc_server_handling_seconds, the names that dashboards for gRPC
// know. `service` and `method` must come from contracts, not from callers: they become labels. Any thread.
void count_call(telemetry::MetricRegistry& metrics, std::string_view service, std::string_view method,
                grpc::StatusCode code, Duration took);

}  // namespace lanyard::rpc
