#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "lanyard/internal/v1/downlink.grpc.pb.h"
#include "telemetry/log.hpp"

namespace lanyard::registry {

// The way to the ingress processes, by the address of their DownlinkService. Any thread; calls back on any thread.
class IngressLinks {
  public:
    struct Events {
        std::function<void(internal::v1::DownlinkResult&&)> result;
        // The request will not be answered.
        std::function<void(std::uint64_t id, const std::string& reason)> failed;
    };

    virtual ~IngressLinks() = default;
    // Before the first send().
    virtual void set_events(Events events) = 0;
    // The id is unique among the requests in flight. Fails with unavailable through `failed`.
    virtual void send(const std::string& address, internal::v1::DownlinkRequest request) = 0;
    // The answer is no longer waited for.
    virtual void forget(const std::string& address, std::uint64_t id) = 0;
    // Ends the links that have nothing to do. Not from a thread of gRPC.
    virtual void drop_idle() = 0;
    // Ends all; nothing calls back after it, and nothing is sent any more. Not from a thread of gRPC.
    virtual void close() = 0;
};

// One gRPC stream to each ingress process that is needed.
class GrpcIngressLinks final : public IngressLinks {
  public:
    explicit GrpcIngressLinks(const telemetry::Logger& log) : log_(log) {}
    ~GrpcIngressLinks() override;

    void set_events(Events events) override { events_ = std::move(events); }
    void send(const std::string& address, internal::v1::DownlinkRequest request) override;
    void forget(const std::string& address, std::uint64_t id) override;
    void drop_idle() override;
    void close() override;

  private:
    class Link;

    // Null when all are closed.
    [[nodiscard]] std::shared_ptr<Link> link_to(const std::string& address);

    const telemetry::Logger& log_;
    Events events_;
    std::mutex mutex_;  // guards what follows
    std::unordered_map<std::string, std::shared_ptr<Link>> links_;
    bool closed_ = false;
};

}  // namespace lanyard::registry
