#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "adoption.hpp"
#include "identity/observation_token.hpp"
#include "lanyard/events/v1/uplink.pb.h"
#include "lifetimes.hpp"
#include "lwm2m/content_format.hpp"
#include "shard_context.hpp"

namespace lanyard::coap_ingress {

// A notification, free of the datagram that brought it.
struct Notify {
    coap::PeerId peer;
    coap::NotificationHandle handle;
    coap::Token token;
    std::uint16_t message_id = 0;
    coap::Code code = coap::Code::content;
    std::optional<std::uint16_t> content_format;
    std::optional<std::uint32_t> observe;
    bool partial = false;  // the payload is the first block only
    std::uint8_t szx = 6;
    Bytes etag;
    SteadyTime received;
    UnixMillis received_ms = 0;
};

// Fetches the rest of a notification's body, since only the downlink side knows what was observed.
class BodyFetcher {
  public:
    virtual ~BodyFetcher() = default;
    // UplinkService::on_fetched follows, maybe before this returns.
    virtual void fetch(std::uint32_t device_number, std::uint16_t spec, const Notify& notify, ByteView first) = 0;
};

// What devices report: Notify and Send (Core 1.2 section 6.4). Each message becomes one record for Kafka; the device
// gets its acknowledgement when the broker has acknowledged the record, and none, or 5.03, when it has not.
class UplinkService {
  public:
    UplinkService(ShardContext& context, Lifetimes& lifetimes, Adoption& adoption);
    void set_fetcher(BodyFetcher& fetcher) { fetcher_ = &fetcher; }

    void on_notification(const coap::PeerId& peer, const coap::NotificationView& view, coap::NotificationHandle handle);
    // The whole body of a notification that came in blocks; nothing when it could not be fetched. The device then gets
    // no acknowledgement, so that it tries again: what is cut must not pass for whole.
    void on_fetched(const Notify& notify, std::optional<ByteView> body);
    void on_send(const coap::PeerId& peer, const coap::RequestView& request, coap::RequestHandle handle,
                 lwm2m::ContentFormat format);
    void on_delivery(std::uint64_t opaque, bool delivered);

    [[nodiscard]] std::size_t pending() const { return pending_count_; }

  private:
    struct Pending {
        std::uint64_t handle = 0;
        SteadyTime received;
        std::uint32_t turn = 0;  // so that a stale delivery report is recognised
        bool is_send = false;
        bool in_use = false;
    };

    void settle(Device& device, const identity::ObservationToken& token, const Notify& notify, ByteView payload);
    void look_up(const identity::ObservationToken& token, Notify notify, ByteView payload);
    void drop(const Notify& notify, NotifyResult result);
    [[nodiscard]] bool check_content(const Device& device, coap::RequestHandle handle, lwm2m::ContentFormat format,
                                     ByteView payload);
    void refuse_content(coap::RequestHandle handle, const Error& error);
    void fill(const Device& device, const Notify& message, ByteView payload);
    [[nodiscard]] bool produce(const Device& device, const Pending& pending, UnixMillis received_ms);

    ShardContext& context_;
    Lifetimes& lifetimes_;
    Adoption& adoption_;
    BodyFetcher* fetcher_ = nullptr;
    events::v1::UplinkRecord record_;  // these are reused, so that their memory is
    std::string key_;
    Bytes value_;
    std::vector<Pending> pending_;
    std::vector<std::uint32_t> free_;
    std::size_t pending_count_ = 0;
};

}  // namespace lanyard::coap_ingress
