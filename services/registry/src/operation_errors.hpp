#pragma once

#include <grpcpp/support/status.h>

#include "lanyard/internal/v1/downlink.pb.h"
#include "lwm2m_coap/operation.hpp"

namespace lanyard::registry {

// The status of a call from what came of its request to the device: the error map of operation.proto. OK only for the
// success code of the operation. Every error holds an ErrorInfo; answers of the device add metadata coap_code.
[[nodiscard]] grpc::Status status_of(const lwm2m_coap::Operation& operation,
                                     const internal::v1::DownlinkResult& result);
// The same for a request that the device did not answer.
[[nodiscard]] grpc::Status status_unanswered(const internal::v1::DownlinkResult& result);
// "2.05".
[[nodiscard]] std::string coap_code_text(std::uint32_t code);
// For metrics: "ok", "4.04", "timeout", ...
[[nodiscard]] std::string result_label(const internal::v1::DownlinkResult& result);

}  // namespace lanyard::registry
