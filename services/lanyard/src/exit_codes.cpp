#include "exit_codes.hpp"

#include <cstdio>
#include <string>

#include "rpc/status.hpp"

namespace lanyard::cli {

ExitCode exit_code_of(const grpc::Status& status) {
    switch (status.error_code()) {
        case grpc::StatusCode::OK:
            return ExitCode::ok;
        case grpc::StatusCode::INVALID_ARGUMENT:
            return ExitCode::usage;
        case grpc::StatusCode::NOT_FOUND:
            return ExitCode::not_found;
        case grpc::StatusCode::DEADLINE_EXCEEDED:
            return ExitCode::timed_out;
        case grpc::StatusCode::UNAVAILABLE:
            return ExitCode::unavailable;
        case grpc::StatusCode::PERMISSION_DENIED:
        case grpc::StatusCode::UNIMPLEMENTED:
            return ExitCode::refused;
        case grpc::StatusCode::FAILED_PRECONDITION:
            break;
        default:
            return ExitCode::failed;
    }
    const auto details = rpc::details_of(status);
    const bool away = details && (details->reason == "DEVICE_OFFLINE" || details->reason == "DEVICE_SLEEPING");
    return away ? ExitCode::not_reachable : ExitCode::refused;
}

void print_error(const grpc::Status& status) {
    std::string line = "error: " + status.error_message();
    if (const auto details = rpc::details_of(status)) {
        line += " (" + details->reason;
        for (const auto& [key, value] : details->metadata) line += ", " + key + " " + value;
        for (const auto& violation : details->fields) line += "; " + violation.field + ": " + violation.description;
        line += ")";
    }
    std::fprintf(stderr, "%s\n", line.c_str());
}

}  // namespace lanyard::cli
