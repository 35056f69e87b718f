#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <grpcpp/support/status.h>

#include "base/error.hpp"

namespace lanyard::rpc {

// The one table between Errc and gRPC's codes. Both directions; codes that Errc lacks map to the nearest.
[[nodiscard]] grpc::StatusCode to_grpc(Errc code);
[[nodiscard]] Errc from_grpc(grpc::StatusCode code);

// "OK", "NOT_FOUND", ... as the specification writes them; "UNKNOWN" for a number that is none.
[[nodiscard]] const char* code_name(grpc::StatusCode code);

// The machine-readable part of an error (AIP-193), carried as google.rpc.Status in grpc-status-details-bin.
struct ErrorDetails {
    std::string reason{};                           // ErrorInfo.reason: UPPER_SNAKE, at most 63 characters
    std::map<std::string, std::string> metadata{};  // ErrorInfo.metadata, e.g. coap_code -> "4.05"
    struct FieldViolation {
        std::string field;  // path of the request field, as "device.endpoint"
        std::string description;
    };
    std::vector<FieldViolation> fields{};                    // BadRequest, if any
    std::optional<std::chrono::milliseconds> retry_after{};  // RetryInfo
};

// ErrorInfo.domain of all our errors.
inline constexpr std::string_view kErrorDomain = "lanyard";

// The status of an error. Without a reason the code's own name is it (NOT_FOUND, …): there is always one
// ErrorInfo.
[[nodiscard]] grpc::Status to_status(const Error& error, const ErrorDetails& details = {});
// INVALID_ARGUMENT with reason INVALID_FIELD and one BadRequest violation.
[[nodiscard]] grpc::Status invalid_field(std::string field, std::string description);

// The error of a status that is not OK, and its details if it has any that parse.
[[nodiscard]] Error to_error(const grpc::Status& status);
[[nodiscard]] std::optional<ErrorDetails> details_of(const grpc::Status& status);

}  // namespace lanyard::rpc
