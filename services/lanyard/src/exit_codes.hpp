#pragma once

#include <grpcpp/support/status.h>

namespace lanyard::cli {

// Exit codes of the program, documented in docs/cli.md. Stable.
enum ExitCode : int {
    ok = 0,
    failed = 1,         // any other error; the reason is on stderr
    usage = 2,          // the command line is wrong
    not_found = 3,      // no such device, path or observation
    not_reachable = 4,  // the device is offline or asleep
    timed_out = 5,      // no answer in time; the effect is unknown
    unavailable = 6,    // the platform does not answer
    refused = 7,        // the device or the platform does not allow it
};

ExitCode exit_code_of(const grpc::Status& status);

// "error: NOT_FOUND: no device ... (reason DEVICE_UNKNOWN, coap_code 4.04)" on stderr.
void print_error(const grpc::Status& status);

}  // namespace lanyard::cli
