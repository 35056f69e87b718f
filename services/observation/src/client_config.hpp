#pragma once

#include <string>

#include "kafka/config.hpp"
#include "observation/config.hpp"

namespace lanyard::observation {

// How the Kafka clients of the service reach the cluster: kafka.bootstrap and kafka.properties.
[[nodiscard]] kafka::ClientConfig client_config(const Config& config, std::string client_id);

// Of the consumer group that all replicas share, "uplink" or "lifecycle".
[[nodiscard]] kafka::ConsumerConfig group_config(const Config& config, const std::string& what);

}  // namespace lanyard::observation
