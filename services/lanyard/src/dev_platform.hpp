#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "base/error.hpp"
#include "runtime/deadline.hpp"
#include "telemetry/log.hpp"
#include "telemetry/metrics.hpp"

namespace lanyard::cli {

struct DevOptions {
    Address coap = Address::v4(0x7f000001, 5683);
    Address grpc = Address::v4(0x7f000001, 7400);
    Address kafka = Address::v4(0x7f000001, 19092);
    Address metrics = Address::v4(0x7f000001, 9400);
    unsigned shards = 1;
    bool observe_temperature = true;  // the template that observes /3303/*/5700 of every device
};

// Where a running platform is reached.
struct DevEndpoints {
    Address coap;
    Address grpc;
    Address metrics;
    std::string kafka;  // bootstrap brokers
};

// The whole platform in one process: every service with its normal configuration on loopback ports, stores in memory,
// librdkafka's mock cluster as Kafka. What it holds is gone with the process.
class DevPlatform {
  public:
    // Ready when it returns. Errors say which part could not start and why.
    [[nodiscard]] static Result<std::unique_ptr<DevPlatform>> start(const DevOptions& options,
                                                                    const telemetry::Logger& log);
    ~DevPlatform();
    DevPlatform(const DevPlatform&) = delete;
    DevPlatform& operator=(const DevPlatform&) = delete;

    [[nodiscard]] const DevEndpoints& endpoints() const;
    [[nodiscard]] const telemetry::MetricRegistry& metrics() const;
    // Drains the services, last started first.
    void stop(runtime::Deadline deadline);

  private:
    struct Impl;
    explicit DevPlatform(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace lanyard::cli
