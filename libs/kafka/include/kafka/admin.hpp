#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "kafka/config.hpp"

namespace lanyard::kafka {

// `topics.manage` of the configuration.
enum class ManageTopics : std::uint8_t {
    create,  // make what is missing, then verify
    verify,  // only look
    off,     // neither
};

struct TopicSpec {
    std::string name{};
    std::int32_t partitions = 1;
    std::int16_t replication = -1;                // -1: the broker's default; not verified
    std::map<std::string, std::string> config{};  // e.g. cleanup.policy=compact, retention.ms
};

struct TopicReport {
    std::vector<std::string> created;   // names
    std::vector<std::string> warnings;  // sentences: more partitions than wanted, configuration differs
    bool limited = false;  // the cluster has no admin API (librdkafka's mock): what is missing is only a warning
};

// Brings topics into the wanted state or says exactly what is missing.
//
// failed_precondition lists every missing topic and every topic with too few partitions in one message;
// unavailable when no broker answered in time. Blocks up to `timeout`; call it off the I/O threads.
[[nodiscard]] Result<TopicReport> manage_topics(const ClientConfig& client, ManageTopics mode,
                                                std::span<const TopicSpec> topics, std::chrono::milliseconds timeout);

}  // namespace lanyard::kafka
