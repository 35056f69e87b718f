#pragma once

#include <memory>

#include "api/config.hpp"
#include "runtime/service.hpp"

namespace lanyard::api {

// The front door. `config` is copied; the context outlives the service.
std::unique_ptr<runtime::Service> make_service(const Config& config, const runtime::ServiceContext& context);

}  // namespace lanyard::api
