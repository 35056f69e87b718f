#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "admission.hpp"
#include "adoption.hpp"
#include "identity/registration_id.hpp"
#include "lifetimes.hpp"
#include "links_memo.hpp"
#include "lwm2m/registration.hpp"
#include "lwm2m_coap/uplink.hpp"
#include "registry_commands.hpp"
#include "shard_context.hpp"

namespace lanyard::coap_ingress {

// The registration interface towards devices: Register, Update, De-register (Core 1.2 section 6.2). Answers a
// Register only after the registry has stored it, and takes no more of them than it stores in time (docs/adr/0008);
// an Update without news from memory while the pledge covers it.
class RegistrationService {
  public:
    using Query = std::span<const std::string_view>;

    RegistrationService(ShardContext& context, RegistryCommands& commands, Lifetimes& lifetimes, Adoption& adoption);

    void on_register(const coap::PeerId& peer, coap::RequestHandle handle, Query query, ByteView payload);
    void on_update(const coap::PeerId& peer, coap::RequestHandle handle, std::string_view location, Query query,
                   ByteView payload);
    void on_deregister(const coap::PeerId& peer, coap::RequestHandle handle, std::string_view location);

  private:
    using Result = RegistryCommands::Result;

    // An Update that waits for its registration to be adopted.
    struct Parked;
    // What the registry has to be told of an Update.
    struct Change {
        std::uint32_t device_number;
        std::uint32_t generation;
        coap::PeerId peer;
        coap::RequestHandle handle;
        internal::v1::RegistrationParameters parameters;
        std::uint8_t transports;
        std::uint16_t objects;  // of RegistrationTable::keep_objects()
        bool retried;
    };
    // A Register that waits for the registry.
    struct Registering {
        coap::PeerId peer;
        coap::RequestHandle handle;
        std::uint8_t transports;
        std::uint16_t objects;
        std::string who;  // endpoint client name
    };

    [[nodiscard]] bool read_register(coap::RequestHandle handle, Query query, ByteView payload,
                                     lwm2m::RegisterParameters& parameters, std::uint16_t& objects);
    void on_registered(const Registering& registering, const Result& result);
    void adopt_for_update(const coap::PeerId& peer, coap::RequestHandle handle, identity::RegistrationId id,
                          Query query, ByteView payload);
    void update(Device& device, const coap::PeerId& peer, coap::RequestHandle handle, Query query, ByteView payload);
    // False when it was refused; otherwise tells whether the registry has to know, and what.
    [[nodiscard]] bool read_update(const Device& device, coap::RequestHandle handle, Query query, ByteView payload,
                                   Change& change, bool& news);
    void keep_alive(Device& device, const coap::PeerId& peer, coap::RequestHandle handle);
    void send_update(const Device& device, Change change);
    void on_updated(const Change& change, const Result& result);
    void send_moved(const Device& device);
    [[nodiscard]] bool may_speak(const Device& device, const coap::PeerId& peer, coap::RequestHandle handle);
    // The number of the list of objects that the links name.
    [[nodiscard]] lwm2m::RegisterResult<std::uint16_t> read_links(ByteView payload, lwm2m::Version version);
    void refuse(coap::RequestHandle handle, const lwm2m::RegisterError& error, std::string_view who);
    // 5.03: the registry has its hands full.
    void defer(coap::RequestHandle handle);
    void refuse_update(coap::RequestHandle handle, std::string_view message);
    void settle_admission(SteadyTime sent_at, const Result& result);

    ShardContext& context_;
    RegistryCommands& commands_;
    Lifetimes& lifetimes_;
    Adoption& adoption_;
    Admission admission_;
    lwm2m::RegisterPolicy policy_;
    LinksMemo links_;
};

}  // namespace lanyard::coap_ingress
