#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/flat_map.hpp"
#include "base/time.hpp"
#include "coap_ingress/config.hpp"
#include "lanyard/internal/v1/registration.grpc.pb.h"
#include "ports.hpp"
#include "rpc/batch_stream_client.hpp"
#include "runtime/health.hpp"
#include "telemetry/log.hpp"
#include "telemetry/rate_limit.hpp"

namespace lanyard::coap_ingress {

// The one stream of this process to a registry, shared by its shards. Uses one replica at a time and goes to the
// next when the stream breaks; what was not answered is sent again there until its deadline.
//
// Results and fences come on gRPC's threads through `deliver`, which must not block.
class RegistryClient final
    : public rpc::BatchStreamClient<internal::v1::RegistrationBatch, internal::v1::RegistrationResultBatch>::Handler {
  public:
    // What came for one shard.
    struct Delivery {
        std::uint32_t shard = 0;
        std::vector<internal::v1::RegistrationResult> results;
        std::vector<internal::v1::Fenced> fenced;
    };
    using Deliver = std::function<void(Delivery&&)>;

    RegistryClient(const RegistryConfig& config, std::uint32_t shards, const telemetry::Logger& log,
                   runtime::HealthBoard::Dependency health, Deliver deliver);
    ~RegistryClient() override;

    // Connects, and says who we are on every stream.
    void start(const std::string& instance, const std::string& downlink_address);
    void stop(std::chrono::milliseconds grace);

    // The port of one shard; its own thread uses it.
    [[nodiscard]] RegistryPort& port(std::uint32_t shard);

  private:
    using Stream = rpc::BatchStreamClient<internal::v1::RegistrationBatch, internal::v1::RegistrationResultBatch>;
    class Port;
    struct Outstanding {
        std::uint32_t shard = 0;
        std::uint64_t local_id = 0;
        std::string command;  // serialized, to be sent again; a copy of the message costs twice as much
    };
    struct Deadline {
        SteadyTime at;
        std::uint64_t id;
    };

    bool send(std::uint32_t shard, internal::v1::RegistrationCommand&& command);
    void flush();
    void send_unsent();
    std::size_t send_again();
    void drop_expired(SteadyTime now);
    void drop_answered();
    void open(grpc::ClientContext* context, Stream::Reactor* reactor);
    void on_batch(internal::v1::RegistrationResultBatch& batch) override;
    void on_ready(internal::v1::RegistrationBatch& first) override;
    void on_down(const Error& error, std::vector<Stream::OutItem> unsent) override;

    const RegistryConfig config_;
    const telemetry::Logger& log_;
    runtime::HealthBoard::Dependency health_;
    Deliver deliver_;
    std::vector<std::unique_ptr<Port>> ports_;
    std::vector<std::unique_ptr<internal::v1::RegistrationService::Stub>> stubs_;
    std::string instance_;
    std::string downlink_address_;
    telemetry::RateLimit failures_;  // of handler calls, which come one at a time
    std::atomic<std::uint32_t> node_{0};
    std::atomic<std::size_t> replica_{0};  // whose turn it is

    std::mutex mutex_;  // guards what follows
    std::unique_ptr<Stream> stream_;
    bool connected_ = false;
    bool was_connected_ = false;            // ever
    std::optional<SteadyTime> down_since_;  // since the stream that worked broke, or there was none yet
    std::uint64_t next_id_ = 1;
    FlatMap<std::uint64_t, Outstanding> outstanding_;
    std::deque<Deadline> deadlines_;                         // of the outstanding ones, in the order of sending
    std::vector<internal::v1::RegistrationCommand> unsent_;  // outstanding too; they leave with the next flush
};

}  // namespace lanyard::coap_ingress
