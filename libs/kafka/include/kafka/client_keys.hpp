#pragma once

#include "base/error.hpp"
#include "kafka/admin.hpp"
#include "kafka/config.hpp"

namespace lanyard::runtime {
class Binder;
}

namespace lanyard::kafka {

// kafka.bootstrap and kafka.properties, the same in every service.
void bind(runtime::Binder& binder, ClientConfig& config);
// topics.manage, of services that own topics.
void bind_manage(runtime::Binder& binder, ManageTopics& manage);
// kafka.compression, of services that produce.
void bind_compression(runtime::Binder& binder, Compression& compression);

// Tries every property, without a connection. invalid_argument names the key and the property, never its value.
[[nodiscard]] Result<void> validate(const ClientConfig& config);

}  // namespace lanyard::kafka
