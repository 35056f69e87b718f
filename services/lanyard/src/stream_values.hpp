#pragma once

#include <cstdint>
#include <functional>

#include "client.hpp"
#include "lanyard/observation/v1/observation.pb.h"

namespace lanyard::cli {

// Prints values as they come, one line each, until Ctrl-C or `count` values (0: no end). When the stream is cut or
// the platform restarts it resumes with the last token, within a budget of tries. `begun` is called once, when the
// place where the stream begins is fixed: what is stored from then on is shown. Its error ends the stream.
int stream_values(const ClientOptions& options, observation::v1::StreamValuesRequest request, std::uint64_t count,
                  const std::function<grpc::Status()>& begun = {});

}  // namespace lanyard::cli
