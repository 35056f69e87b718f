#pragma once

#include <string>

#include "kafka/config.hpp"
#include "observation/config.hpp"

namespace lanyard::observation {

// How the Kafka clients of the service reach the cluster: kafka.bootstrap and kafka.properties.
[[nodiscard]] kafka::ClientConfig client_config(const Config& config, std::string client_id);

}  // namespace lanyard::observation
