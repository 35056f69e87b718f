#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "base/error.hpp"
#include "testing/process.hpp"

namespace lanyard::testing {

// A real Redis (redis-server of the PATH) on a loopback port of its own with its data in a directory of its own.
// Port and data survive stop or kill and start. Not thread-safe.
class RedisServer {
  public:
    // `fsync` is redis.conf's appendfsync: always, everysec or no.
    explicit RedisServer(std::string fsync = "everysec", std::string password = {});
    // Starts and waits until it answers. Throws when it does not come up.
    void start();
    void stop();
    void kill();
    Process& process() { return *process_; }
    [[nodiscard]] std::uint16_t port() const { return port_; }

  private:
    TempDir dir_;
    std::uint16_t port_;
    std::string fsync_;
    std::string password_;
    std::unique_ptr<Process> process_;
};

// A real Kafka broker (KRaft, one node) on a free loopback port. Needs java and the jars that
// `tools/install-deps` puts into .tools/kafka; available() tells. The same port and data survive stop or kill
// and start. Not thread-safe.
class KafkaServer {
  public:
    KafkaServer();
    static bool available();
    // Formats its storage the first time, starts and waits until it answers (2 to 5 s). Throws when it does not.
    void start();
    void stop();
    void kill();
    Process& process() { return *process_; }
    [[nodiscard]] std::string bootstrap() const { return "127.0.0.1:" + std::to_string(port_); }

  private:
    void write_properties() const;
    void format();
    void wait_ready();

    TempDir dir_;
    std::uint16_t port_;
    std::uint16_t controller_port_;
    bool formatted_ = false;
    std::unique_ptr<Process> process_;
};

}  // namespace lanyard::testing
