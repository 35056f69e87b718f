#pragma once

#include <string>

#include "base/address.hpp"
#include "base/time.hpp"
#include "runtime/config.hpp"

namespace lanyard::api {

// Configuration of the api service; keys and docs in src/config.cpp, defaults here.
struct Config {
    Address grpc_listen = Address::v4(0x7f000001, 7400);
    // gRPC targets: "127.0.0.1:7402", "dns:///lanyard-registry:7402".
    std::string registry_target = "127.0.0.1:7402";
    std::string observation_target = "127.0.0.1:7403";
    // A user that takes longer to read one message loses the call.
    Duration write_deadline = std::chrono::seconds(60);
};

void bind(runtime::Binder& binder, Config& config);

}  // namespace lanyard::api
