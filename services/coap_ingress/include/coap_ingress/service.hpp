#pragma once

#include <memory>

#include "base/error.hpp"
#include "coap_ingress/config.hpp"
#include "runtime/service.hpp"

namespace lanyard::coap_ingress {

// The CoAP front of the platform: devices register, notify and send here, and are reached from here.
//
// Ports after start(): "coap" for each listener, in their order, and "grpc" (DownlinkService). Errors: the
// configuration is invalid. Needs a registry and Kafka to be ready; waits for both without limit.
[[nodiscard]] Result<std::unique_ptr<runtime::Service>> make_service(const Config& config,
                                                                     const runtime::ServiceContext& context);

}  // namespace lanyard::coap_ingress
