#pragma once

#include <memory>
#include <unordered_map>

#include "lanyard/internal/v1/registration.grpc.pb.h"
#include "registration_handler.hpp"
#include "registry/executor.hpp"
#include "telemetry/log.hpp"

namespace lanyard::registry {

// The streams of ingress processes: commands go to the loop, results and fences come back on the same stream.
class RegistrationService final : public internal::v1::RegistrationService::CallbackService {
  public:
    RegistrationService(DeviceStore& store, Executor executor, const telemetry::Logger& log);
    ~RegistrationService() override;

    // Before the server starts.
    void set_handler(RegistrationHandler& handler) { handler_ = &handler; }
    grpc::ServerBidiReactor<internal::v1::RegistrationBatch, internal::v1::RegistrationResultBatch>* Exchange(
        grpc::CallbackServerContext* context) override;

    // Loop only: tells a node; false when it is not connected here.
    bool fence(std::uint32_t node, const internal::v1::Fenced& fenced);
    // Loop only: ends all streams after what is queued.
    void finish_all();
    [[nodiscard]] std::size_t connected() const { return nodes_.size(); }

  private:
    class Stream;

    DeviceStore& store_;
    Executor executor_;
    const telemetry::Logger& log_;
    RegistrationHandler* handler_ = nullptr;
    bool finishing_ = false;
    // Loop only.
    std::unordered_map<std::uint32_t, std::weak_ptr<Stream>> nodes_;
    std::unordered_map<Stream*, std::weak_ptr<Stream>> streams_;
};

}  // namespace lanyard::registry
