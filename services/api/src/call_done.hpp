#pragma once

#include <functional>
#include <string_view>

#include <grpcpp/support/status.h>

#include "base/time.hpp"

namespace lanyard::api {

// Told once per finished call, by any thread: full service name, method name, status code, how long it took.
using CallDone =
    std::function<void(std::string_view service, std::string_view method, grpc::StatusCode code, Duration took)>;

}  // namespace lanyard::api
