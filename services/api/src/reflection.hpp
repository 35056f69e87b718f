#pragma once

#include <memory>
#include <string>
#include <vector>

#include <grpcpp/impl/service_type.h>

namespace lanyard::api {

// gRPC server reflection, v1 and v1alpha, over the descriptors that are linked in. Lists exactly `services`, because
// the server itself registers none of them: they are passed on. Thread-safe.
std::vector<std::unique_ptr<grpc::Service>> make_reflection(std::vector<std::string> services);

}  // namespace lanyard::api
