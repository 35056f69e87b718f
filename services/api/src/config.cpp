#include "api/config.hpp"

namespace lanyard::api {

void bind(runtime::Binder& binder, Config& config) {
    binder.address("grpc.listen", &config.grpc_listen,
                   "Where users call gRPC. Plain text and without authentication so far: keep it on loopback or behind "
                   "something that authenticates.");
    binder.required_string("registry.target", &config.registry_target,
                           "gRPC target of the registry: host:port, or dns:///name:port for several replicas.");
    binder.required_string("observation.target", &config.observation_target,
                           "gRPC target of the observation service: host:port, or dns:///name:port.");
    binder.duration(
        "streams.write_deadline", &config.write_deadline, {std::chrono::seconds(1), std::chrono::hours(1)},
        "A user that takes longer to read one message loses the call (CANCELLED). Longer than the limits of "
        "the services behind it, which cut slow streams with RESOURCE_EXHAUSTED.");
}

}  // namespace lanyard::api
