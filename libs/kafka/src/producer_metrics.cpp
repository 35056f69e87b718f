#include "producer_metrics.hpp"

#include <charconv>

namespace lanyard::kafka {
namespace {

constexpr std::string_view kProduced = "lanyard_kafka_produced_total";
constexpr std::string_view kProducedHelp = "Records produced, by what the broker said.";

// The number behind the first `"name":`, which in librdkafka's statistics is the one of the whole client.
std::uint64_t number_after(std::string_view json, std::string_view name) {
    const std::size_t at = json.find(name);
    std::uint64_t value = 0;
    if (at != std::string_view::npos) {
        const std::string_view rest = json.substr(at + name.size());
        (void)std::from_chars(rest.data(), rest.data() + rest.size(), value);
    }
    return value;
}

}  // namespace

ProducerMetrics::ProducerMetrics(telemetry::MetricRegistry* registry) : registry_(registry) {
    if (registry == nullptr) return;
    const auto gauge = [&](const char* name, const char* help, const std::atomic<std::uint64_t>& value) {
        callbacks_.push_back(
            registry->gauge_callback(name, help, {}, [&value] { return static_cast<double>(value.load()); }));
    };
    gauge("lanyard_kafka_queue_messages", "Records that await the broker, as of the last second.", queue_messages_);
    gauge("lanyard_kafka_queue_bytes", "The same in bytes.", queue_bytes_);
}

TopicMetrics* ProducerMetrics::topic(const std::string& name) {
    if (registry_ == nullptr) return nullptr;
    TopicMetrics& topic = topics_[name];
    topic.delivered = &registry_->counter(kProduced, kProducedHelp, {{"topic", name}, {"result", "delivered"}});
    topic.failed = &registry_->counter(kProduced, kProducedHelp, {{"topic", name}, {"result", "failed"}});
    topic.duration = &registry_->histogram("lanyard_kafka_produce_duration_seconds",
                                           "Wait of the oldest record of each batch for its acknowledgement.",
                                           telemetry::latency_buckets(), {{"topic", name}});
    return &topic;
}

void ProducerMetrics::on_statistics(std::string_view json) {
    if (registry_ == nullptr) return;
    queue_messages_ = number_after(json, "\"msg_cnt\":");
    queue_bytes_ = number_after(json, "\"msg_size\":");
}

void ProducerMetrics::Run::close() {
    if (topic_ != nullptr) {
        if (delivered_ != 0) topic_->delivered->add(delivered_);
        if (failed_ != 0) topic_->failed->add(failed_);
        if (latency_us_ >= 0) topic_->duration->observe(static_cast<double>(latency_us_) / 1e6);
    }
    delivered_ = failed_ = 0;
}

}  // namespace lanyard::kafka
