#include "client_config.hpp"

#include <utility>

namespace lanyard::observation {
namespace {

constexpr const char* kTelemetryRetention = "604800000";    // 7 days in ms
constexpr const char* kDeadLetterRetention = "1209600000";  // 14 days in ms

}  // namespace

kafka::ClientConfig client_config(const Config& config, std::string client_id) {
    kafka::ClientConfig out = config.kafka.client;
    out.client_id = std::move(client_id);
    // A topic that is made later is seen within seconds.
    out.properties.emplace("topic.metadata.refresh.interval.ms", "10000");
    return out;
}

kafka::ConsumerConfig group_config(const Config& config, const std::string& what) {
    kafka::ConsumerConfig out;
    out.client = client_config(config, "lanyard-observation-" + what);
    out.group = config.kafka.group + "." + what;
    out.session_timeout = std::chrono::duration_cast<std::chrono::milliseconds>(config.kafka.session_timeout);
    return out;
}

kafka::TopicPlan topic_plan(const Config& config) {
    const KafkaConfig& topics = config.kafka;
    const auto kept = [&](const std::string& name, std::int32_t partitions, const char* retention) {
        return kafka::TopicSpec{.name = name,
                                .partitions = partitions,
                                .replication = topics.replication,
                                .config = {{"cleanup.policy", "delete"}, {"retention.ms", retention}}};
    };
    return {.client = client_config(config, "lanyard-observation-topics"),
            .manage = topics.manage,
            .own = {kept(topics.telemetry_topic, topics.telemetry_partitions, kTelemetryRetention),
                    kept(topics.dead_letter_topic, topics.dead_letter_partitions, kDeadLetterRetention)},
            .of_others = {topics.uplink_topic, topics.lifecycle_topic}};
}

}  // namespace lanyard::observation
