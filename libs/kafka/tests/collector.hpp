#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "kafka/consumer.hpp"
#include "kafka/producer.hpp"

namespace lanyard::kafka {

// Waiting in tests has this bound; nothing here takes longer than a few seconds.
inline constexpr std::chrono::seconds kPatience{30};

// Polls until `done` or out of patience.
template <class Step, class Done>
bool poll_until(Step step, Done done) {
    const auto until = std::chrono::steady_clock::now() + kPatience;
    while (!done()) {
        if (std::chrono::steady_clock::now() > until) return false;
        step();
    }
    return true;
}

// Keeps the delivery reports.
class Reports final : public DeliverySink {
  public:
    void on_delivered(const Delivery& delivery) override { all.push_back(delivery); }
    [[nodiscard]] std::size_t good() const {
        std::size_t count = 0;
        for (const auto& delivery : all) count += delivery.delivered ? 1 : 0;
        return count;
    }
    // Until `count` reports came.
    bool wait(Producer& producer, std::size_t count) {
        return poll_until([&] { producer.poll(*this, 1000, std::chrono::milliseconds(50)); },
                          [&] { return all.size() >= count; });
    }
    std::vector<Delivery> all;
};

struct Received {
    std::string topic;
    std::int32_t partition;
    std::int64_t offset;
    std::string key;
    std::string value;
    bool tombstone;
    std::map<std::string, std::string> headers;
    UnixMillis timestamp_ms;
};

// Keeps what a consumer is told and reads.
class Reader final : public ConsumerEvents {
  public:
    void on_assigned(std::span<const TopicOffset> partitions) override { assigned += partitions.size(); }
    void on_revoked(std::span<const TopicOffset> partitions) override { revoked += partitions.size(); }
    void on_lost(std::span<const TopicOffset> partitions) override { lost += partitions.size(); }
    void on_committed(std::span<const TopicOffset>, const Result<void>& result) override {
        commits += result ? 1 : 0;
        failed_commits += result ? 0 : 1;
    }
    void on_error(const Error& error, const TopicOffset* partition) override {
        errors.push_back(error);
        if (partition != nullptr) bad_partitions.push_back(*partition);
    }
    // Partitions that are ours now.
    [[nodiscard]] std::size_t holding() const { return assigned - revoked - lost; }
    // One poll; keeps the records.
    void poll(Consumer& consumer, std::size_t max = 100) {
        consumer.poll(batch_, max, std::chrono::milliseconds(50));
        for (std::size_t i = 0; i < batch_.size(); ++i) keep(batch_[i]);
        batch_.clear();
    }
    bool wait(Consumer& consumer, std::size_t count) {
        return poll_until([&] { poll(consumer); }, [&] { return records.size() >= count; });
    }

    std::vector<Received> records;
    std::vector<Error> errors;
    std::vector<TopicOffset> bad_partitions;
    std::size_t assigned = 0;
    std::size_t revoked = 0;
    std::size_t lost = 0;
    int commits = 0;
    int failed_commits = 0;

  private:
    void keep(const MessageView& message) {
        Received record{std::string(message.topic()),
                        message.partition(),
                        message.offset(),
                        std::string(message.key()),
                        to_string(message.value()),
                        message.tombstone(),
                        {},
                        message.timestamp_ms()};
        message.for_each_header([&](const Header& h) { record.headers[std::string(h.name)] = std::string(h.value); });
        records.push_back(std::move(record));
    }
    MessageBatch batch_;
};

}  // namespace lanyard::kafka
