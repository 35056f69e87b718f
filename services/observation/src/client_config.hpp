#pragma once

#include <string>

#include "kafka/config.hpp"
#include "kafka/topic_keeper.hpp"
#include "observation/config.hpp"

namespace lanyard::observation {

// How the Kafka clients of the service reach the cluster: kafka.bootstrap and kafka.properties.
[[nodiscard]] kafka::ClientConfig client_config(const Config& config, std::string client_id);

// Of the consumer group that all replicas share, "uplink" or "lifecycle".
[[nodiscard]] kafka::ConsumerConfig group_config(const Config& config, const std::string& what);

// What is written here is made or checked. What is read is waited for, since a group that subscribes to a topic before
// it exists learns of it late.
[[nodiscard]] kafka::TopicPlan topic_plan(const Config& config);

}  // namespace lanyard::observation
