#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "telemetry/metrics.hpp"

namespace lanyard::kafka {

// What one topic's records became: shared by all producers of the process.
struct TopicMetrics {
    telemetry::Counter* delivered = nullptr;
    telemetry::Counter* failed = nullptr;
    telemetry::Histogram* duration = nullptr;
};

// The numbers of one producer on /metrics. Costs nothing per record: reports of the same topic that come together are
// counted at once.
class ProducerMetrics {
  public:
    // `registry` may be null: then nothing is counted.
    explicit ProducerMetrics(telemetry::MetricRegistry* registry);

    // Null without a registry. Stays where it is as long as this object.
    [[nodiscard]] TopicMetrics* topic(const std::string& name);
    // Takes the length of the queue out of librdkafka's statistics.
    void on_statistics(std::string_view json);

    // Adds up the reports of one topic until another one comes, or the end.
    class Run {
      public:
        Run() = default;
        Run(const Run&) = delete;
        Run& operator=(const Run&) = delete;
        ~Run() { close(); }
        // `latency_us`: since produce(); asked of the first record of a run only, which is the oldest.
        template <class Latency>
        void add(TopicMetrics* topic, bool delivered, Latency latency_us) {
            if (topic != topic_) {
                close();
                topic_ = topic;
                if (topic != nullptr) latency_us_ = latency_us();
            }
            ++(delivered ? delivered_ : failed_);
        }

      private:
        void close();

        TopicMetrics* topic_ = nullptr;
        std::uint64_t delivered_ = 0;
        std::uint64_t failed_ = 0;
        std::int64_t latency_us_ = 0;
    };

  private:
    telemetry::MetricRegistry* registry_;
    std::map<std::string, TopicMetrics> topics_;
    std::atomic<std::uint64_t> queue_messages_{0};
    std::atomic<std::uint64_t> queue_bytes_{0};
    std::vector<telemetry::MetricRegistry::Callback> callbacks_;
};

}  // namespace lanyard::kafka
