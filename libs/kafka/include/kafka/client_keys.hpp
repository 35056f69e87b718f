#pragma once

#include "base/error.hpp"
#include "kafka/config.hpp"

namespace lanyard::runtime {
class Binder;
}

namespace lanyard::kafka {

// kafka.bootstrap and kafka.properties, the same in every service.
void bind(runtime::Binder& binder, ClientConfig& config);

// Tries every property, without a connection. invalid_argument names the key and the property, never its value.
[[nodiscard]] Result<void> validate(const ClientConfig& config);

}  // namespace lanyard::kafka
