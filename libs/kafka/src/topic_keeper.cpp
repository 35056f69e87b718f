#include "kafka/topic_keeper.hpp"

#include <utility>

namespace lanyard::kafka {

Result<void> prepare_topics(const TopicPlan& plan, const telemetry::Logger& log) {
    const auto report = manage_topics(plan.client, plan.manage, plan.own, plan.timeout);
    if (!report) return report.error();
    for (const std::string& name : report->created) log.info("topic created", {{"topic", name}});
    for (const std::string& warning : report->warnings) log.warn("topic differs", {{"detail", warning}});
    if (plan.manage == ManageTopics::off || plan.of_others.empty()) return {};
    std::vector<TopicSpec> others;
    for (const std::string& name : plan.of_others) others.push_back({.name = name});
    const auto found = manage_topics(plan.client, ManageTopics::verify, others, plan.timeout);
    if (!found) return found.error();
    return {};
}

TopicKeeper::TopicKeeper(TopicPlan plan, const telemetry::Logger& log, runtime::HealthBoard::Dependency health,
                         std::function<void()> ready, Duration pause)
    : plan_(std::move(plan)), log_(log), health_(health), ready_(std::move(ready)), pause_(pause) {}

TopicKeeper::~TopicKeeper() {
    (void)stop(runtime::Deadline::never());
}

void TopicKeeper::start() {
    thread_ = runtime::Thread("kafka-topics", [this] { run(); });
}

bool TopicKeeper::stop(runtime::Deadline deadline) {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    return !thread_.joinable() || thread_.join(deadline);
}

void TopicKeeper::run() {
    std::string told;
    do {
        const auto done = prepare_topics(plan_, log_);
        if (done) return ready_();
        const std::string& reason = done.error().message;
        health_.down(reason + "; tried again until it succeeds");
        if (told != reason) log_.warn("waiting for Kafka", {{"reason", reason}, {"bootstrap", plan_.client.bootstrap}});
        told = reason;
    } while (pause());
}

bool TopicKeeper::pause() {
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, pause_, [this] { return stopping_; });
    return !stopping_;
}

}  // namespace lanyard::kafka
