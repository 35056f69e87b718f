#pragma once

#include <cstdint>
#include <optional>

#include "adoption.hpp"
#include "coap/endpoint.hpp"
#include "downlink_service.hpp"
#include "lifetimes.hpp"
#include "ports.hpp"
#include "registration_service.hpp"
#include "registry_commands.hpp"
#include "shard_context.hpp"
#include "uplink_service.hpp"

namespace lanyard::coap_ingress {

// The whole behaviour of one shard without sockets, clocks and threads: messages, results, reports and time go in,
// messages, commands and records come out through the ports of its setup.
//
// Each input hands in the time; all run on one thread. Parts: RegistrationService, UplinkService and DownlinkService
// towards devices; Adoption, Lifetimes and RegistryCommands towards the registry.
class ShardCore final : private coap::EndpointVisitor {
  public:
    ShardCore(const ShardSetup& setup, Now start);
    ShardCore(const ShardCore&) = delete;
    ShardCore& operator=(const ShardCore&) = delete;

    // A CoAP message out of the session stage.
    void on_message(const Inbound& inbound, Now now);
    void on_registry_result(const internal::v1::RegistrationResult& result, Now now);
    void on_fenced(std::uint32_t device_number, std::uint32_t epoch, Now now);
    // What became of UplinkMessage::opaque.
    void on_delivery(std::uint64_t opaque, bool delivered, Now now);
    // False, with the call untouched, when this shard does not hold the device.
    [[nodiscard]] bool on_downlink(DownlinkCall& call, Now now);
    // For a call that no shard takes.
    void refuse_not_owner(const DownlinkCall& call) { downlink_.refuse_not_owner(call); }

    void on_timer(Now now);
    // When on_timer() is to be called at latest.
    [[nodiscard]] SteadyTime next_timeout() const;

    // From now on a Register gets 5.03 and a downlink UNAVAILABLE; what is in progress goes on.
    void begin_drain(Now now);
    // Nothing is left that a device waits for.
    [[nodiscard]] bool drained() const;
    // Requests to devices that are not answered yet.
    [[nodiscard]] std::size_t downlinks() const { return downlink_.pending(); }

    [[nodiscard]] std::size_t registrations() const { return context_.table.size(); }
    [[nodiscard]] const coap::Stats& coap_stats() const { return endpoint_.stats(); }

  private:
    void transmit(const coap::PeerId& peer, ByteView datagram) override;
    void on_request(const coap::PeerId& peer, const coap::RequestView& request, coap::RequestHandle handle) override;
    void on_malformed(const coap::PeerId& peer, coap::DecodeError error) override;
    void on_refused(const coap::PeerId& peer, coap::Code code, std::string_view reason) override;
    void on_response(std::uint64_t cookie, const coap::ResponseView& response) override;
    void on_request_failed(std::uint64_t cookie, coap::FailureReason reason) override;
    void on_notification(const coap::PeerId& peer, const coap::NotificationView& notification,
                         coap::NotificationHandle handle) override;
    void on_second();

    ShardContext context_;
    coap::Endpoint endpoint_;
    RegistryCommands commands_;
    Lifetimes lifetimes_;
    Adoption adoption_;
    RegistrationService registrations_;
    UplinkService uplink_;
    DownlinkService downlink_;
    coap::Stats counted_;
    SteadyTime next_second_;
};

}  // namespace lanyard::coap_ingress
