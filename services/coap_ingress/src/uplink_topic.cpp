#include "uplink_topic.hpp"

#include <array>
#include <chrono>

#include "kafka/admin.hpp"

namespace lanyard::coap_ingress {
namespace {

using namespace std::chrono_literals;

constexpr auto kAttemptTimeout = 3s;
constexpr auto kPause = 1s;

}  // namespace

UplinkTopic::UplinkTopic(const Config& config, const telemetry::Logger& log, runtime::HealthBoard::Dependency health)
    : config_(config), log_(log), health_(health) {}

void UplinkTopic::start() {
    thread_ = runtime::Thread("uplink-topic", [this] { run(); });
}

void UplinkTopic::stop(runtime::Deadline deadline) {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable() && !thread_.join(deadline)) log_.warn("the look for the uplink topic did not end in time");
}

void UplinkTopic::run() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        lock.unlock();
        const auto done = attempt();
        if (done) return health_.ok();
        health_.down(done.error().message + "; tried again every second");
        lock.lock();
        wake_.wait_for(lock, kPause, [this] { return stopping_; });
    }
}

Result<void> UplinkTopic::attempt() const {
    kafka::TopicSpec uplink;
    uplink.name = config_.uplink.topic;
    uplink.partitions = config_.uplink.partitions;
    const std::array<kafka::TopicSpec, 1> topics{uplink};
    const auto report = kafka::manage_topics(config_.kafka.client, config_.uplink.manage, topics, kAttemptTimeout);
    if (!report) return report.error();
    for (const std::string& name : report->created) log_.info("topic made", {{"topic", name}});
    for (const std::string& warning : report->warnings) log_.warn(warning);
    return {};
}

}  // namespace lanyard::coap_ingress
