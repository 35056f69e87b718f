#pragma once

#include <memory>

#include "api/config.hpp"
#include "base/error.hpp"
#include "runtime/service.hpp"

namespace lanyard::api {

// The front door. `config` is copied; the context outlives the service. Never fails.
[[nodiscard]] Result<std::unique_ptr<runtime::Service>> make_service(const Config& config,
                                                                     const runtime::ServiceContext& context);

}  // namespace lanyard::api
