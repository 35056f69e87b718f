#pragma once

#include <chrono>
#include <cstdio>

#include <grpcpp/grpcpp.h>

#include "exit_codes.hpp"
#include "interrupt.hpp"

namespace lanyard::cli {

// Reads a server stream until `on_message` returns false or Ctrl-C; opens it again with the last resume token when it
// was cut (slow reader, restart of the platform): at most 10 times in a row without a message between.
//
// `open(context, request)` starts the call. `on_message(response)` handles one message.
template <class Request, class Response, class Open, class OnMessage>
int read_resuming(runtime::StopSignals& signals, Request request, const Open& open, const OnMessage& on_message) {
    constexpr int kTriesMax = 10;
    grpc::Status status;
    for (int tries = 0; tries < kTriesMax; ++tries) {
        grpc::ClientContext context;
        Interrupt interrupt(signals, [&context] { context.TryCancel(); });
        const auto reader = open(&context, request);
        Response response;
        while (reader->Read(&response)) {
            tries = 0;
            if (!response.resume_token().empty()) request.set_resume_token(response.resume_token());
            if (on_message(response)) continue;
            context.TryCancel();
            reader->Finish();
            return ExitCode::ok;
        }
        status = reader->Finish();
        if (interrupt.happened() || status.ok()) return ExitCode::ok;
        // CANCELLED: so slow that even the status of the cut was not read in time.
        const bool cut = status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED ||
                         status.error_code() == grpc::StatusCode::CANCELLED ||
                         status.error_code() == grpc::StatusCode::UNAVAILABLE;
        if (!cut) break;
        std::fprintf(stderr, "stream ended (%s), resuming\n", status.error_message().c_str());
        if (!interrupt.wait(std::chrono::seconds(1))) return ExitCode::ok;
    }
    print_error(status);
    return exit_code_of(status);
}

}  // namespace lanyard::cli
