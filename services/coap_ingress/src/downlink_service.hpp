#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/flat_map.hpp"
#include "observed_specs.hpp"
#include "shard_context.hpp"
#include "uplink_service.hpp"

namespace lanyard::coap_ingress {

// Requests to devices whose session this shard owns. The endpoint sends one at a time to each device and matches the
// answers; this checks who may be asked, and tells the outcome exactly once.
class DownlinkService final : public BodyFetcher {
  public:
    using Result = internal::v1::DownlinkResult;

    DownlinkService(ShardContext& context, RegistryCommands& commands, UplinkService& uplink);

    // False, with nothing done, when this shard does not hold the device.
    [[nodiscard]] bool on_call(DownlinkCall& call);
    // Answers a call for a device that no shard holds.
    void refuse_not_owner(const DownlinkCall& call);
    void refuse_unavailable(const DownlinkCall& call, std::string_view message);

    void on_response(std::uint64_t cookie, const coap::ResponseView& response);
    void on_failed(std::uint64_t cookie, coap::FailureReason reason);
    void fetch(std::uint32_t device_number, std::uint16_t spec, const Notify& notify, ByteView first) override;

    [[nodiscard]] std::size_t pending() const { return pending_.size(); }

  private:
    // A request in progress: of a caller, or for the rest of a notification.
    struct Pending {
        std::uint32_t device_number = 0;
        std::uint64_t request_id = 0;
        std::shared_ptr<DownlinkReply> reply;
        std::unique_ptr<Notify> notify;
        std::uint32_t method = 0;
        SteadyTime began{};
    };

    // The outcome that stands before anything is sent, if any.
    [[nodiscard]] std::optional<Result::Outcome> outcome_before(const Device& device,
                                                                const internal::v1::DownlinkRequest& request) const;
    [[nodiscard]] std::optional<coap::Request> make_request(const Device& device, const DownlinkCall& call) const;
    [[nodiscard]] bool fetch_rest(std::uint32_t device_number, const internal::v1::CoapRequest& observed,
                                  const Notify& notify, ByteView first);
    void finish(const Pending& pending, Result&& result);
    void refuse(const DownlinkCall& call, Result::Outcome outcome, std::string_view message);

    ShardContext& context_;
    UplinkService& uplink_;
    std::uint64_t next_cookie_ = 1;
    FlatMap<std::uint64_t, Pending> pending_;
    ObservedSpecs specs_;
};

}  // namespace lanyard::coap_ingress
