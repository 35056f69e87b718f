#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/error.hpp"
#include "kafka/admin.hpp"

namespace lanyard::kafka {

// librdkafka's own broker: the real protocol on loopback, in memory, without a JVM. Used as the embedded
// Kafka of `lanyard dev` and in tests; other processes (kcat) may connect.
//
// Limits of it (librdkafka 2.0): keeps 5 MiB per partition and silently drops the oldest beyond; no admin API, no
// topic configuration, no compaction, no disk. Thread-safe.
class MockCluster {
  public:
    // `brokers` 1..9, on free loopback ports.
    [[nodiscard]] static Result<std::unique_ptr<MockCluster>> start(int brokers = 1);
    ~MockCluster();
    MockCluster(const MockCluster&) = delete;
    MockCluster& operator=(const MockCluster&) = delete;

    // host:port of all brokers, comma separated: ClientConfig::bootstrap.
    [[nodiscard]] const std::string& bootstrap() const;
    [[nodiscard]] Result<void> create_topic(const std::string& name, int partitions);
    [[nodiscard]] Result<void> create_topics(std::span<const TopicSpec> topics);

    // Fault injection. Broker ids are 1..brokers.
    // Closes a broker's connections and refuses new ones until it is up again; its records stay.
    void set_broker_up(int broker, bool up);
    void set_all_up(bool up);
    // Adds this much to every answer of a broker.
    void set_round_trip(int broker, std::chrono::milliseconds rtt);
    // The next `count` requests of this Kafka API key (0 Produce, 1 Fetch, 3 Metadata, …) fail with this Kafka
    // protocol error code (e.g. 7 REQUEST_TIMED_OUT, 19 NOT_ENOUGH_REPLICAS).
    void fail_requests(std::int16_t api_key, std::int16_t error_code, std::size_t count);
    void clear_failures(std::int16_t api_key);

  private:
    class Impl;
    explicit MockCluster(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace lanyard::kafka
