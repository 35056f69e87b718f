#include "topics.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "client_config.hpp"

namespace lanyard::observation {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kTimeout = 5s;
constexpr Duration kPause = 1s;
constexpr std::string_view kTelemetryRetention = "604800000";    // 7 days in ms
constexpr std::string_view kDeadLetterRetention = "1209600000";  // 14 days in ms

kafka::TopicSpec spec(const std::string& name, std::int32_t partitions) {
    kafka::TopicSpec out;
    out.name = name;
    out.partitions = partitions;
    return out;
}

std::vector<kafka::TopicSpec> written(const KafkaConfig& config) {
    auto telemetry = spec(config.telemetry_topic, config.telemetry_partitions);
    telemetry.config = {{"cleanup.policy", "delete"}, {"retention.ms", std::string(kTelemetryRetention)}};
    auto dead_letter = spec(config.dead_letter_topic, config.dead_letter_partitions);
    dead_letter.config = {{"cleanup.policy", "delete"}, {"retention.ms", std::string(kDeadLetterRetention)}};
    telemetry.replication = config.replication;
    dead_letter.replication = config.replication;
    return {std::move(telemetry), std::move(dead_letter)};
}

}  // namespace

TopicKeeper::TopicKeeper(const Config& config, const telemetry::Logger& log, runtime::HealthBoard::Dependency kafka,
                         std::function<void()> ready)
    : config_(config), log_(log), kafka_(kafka), ready_(std::move(ready)) {}

void TopicKeeper::start() {
    thread_ = runtime::Thread("obs-topics", [this] { run(); });
}

bool TopicKeeper::stop(runtime::Deadline deadline) {
    stopping_ = true;
    wakeup_.notify();
    return !thread_.joinable() || thread_.join(deadline);
}

Result<void> TopicKeeper::attempt() {
    const auto client = client_config(config_, "lanyard-observation-topics");
    const auto own = written(config_.kafka);
    const auto report = kafka::manage_topics(client, config_.kafka.manage, own, kTimeout);
    if (!report) return report.error();
    for (const std::string& name : report->created) log_.info("topic created", {{"topic", name}});
    for (const std::string& warning : report->warnings) log_.warn("topic differs", {{"detail", warning}});
    // A group that subscribes to a topic before it exists learns of it late.
    if (config_.kafka.manage == kafka::ManageTopics::off) return {};
    const std::vector<kafka::TopicSpec> read{spec(config_.kafka.uplink_topic, 1),
                                             spec(config_.kafka.lifecycle_topic, 1)};
    const auto found = kafka::manage_topics(client, kafka::ManageTopics::verify, read, kTimeout);
    if (!found) return found.error();
    return {};
}

void TopicKeeper::run() {
    std::string told;
    runtime::Poller poller;
    poller.add(wakeup_.fd(), 0);
    while (!stopping_) {
        const auto result = attempt();
        if (result) {
            ready_();
            return;
        }
        kafka_.down(result.error().message + "; next attempt in 1 s");
        if (told != result.error().message) {
            told = result.error().message;
            log_.warn("waiting for Kafka", {{"reason", told}, {"bootstrap", config_.kafka.bootstrap}});
        }
        (void)poller.wait(kPause);
    }
}

}  // namespace lanyard::observation
