#pragma once

#include <cstdint>

#include "client.hpp"
#include "lanyard/observation/v1/observation.pb.h"

namespace lanyard::cli {

// Prints values as they come, one line each, until Ctrl-C or `count` values (0: no end). When the stream is cut or
// the platform restarts it resumes with the last token, within a budget of tries.
int stream_values(const ClientOptions& options, observation::v1::StreamValuesRequest request, std::uint64_t count);

}  // namespace lanyard::cli
