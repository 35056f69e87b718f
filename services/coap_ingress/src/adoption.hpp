#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/flat_map.hpp"
#include "lifetimes.hpp"
#include "registry_commands.hpp"
#include "shard_context.hpp"

namespace lanyard::coap_ingress {

enum class AdoptOutcome : std::uint8_t { adopted, unknown, unavailable };

// Takes over registrations that another process or shard holds, when a message for one arrives here: the epoch
// rises, the former owner is fenced, then the waiting messages go on.
class Adoption {
  public:
    // `device` is null unless adopted.
    using Waiter = std::function<void(AdoptOutcome, Device* device)>;

    Adoption(ShardContext& context, RegistryCommands& commands, Lifetimes& lifetimes)
        : context_(context), commands_(commands), lifetimes_(lifetimes) {}

    // The message proved by a registration id that it comes from the device. False when too much waits; the waiter
    // is then not called.
    [[nodiscard]] bool adopt(std::uint32_t device_number, std::uint32_t generation, const coap::PeerId& peer,
                             Waiter waiter);
    // The same for a notification, whose token only the registry can check, because it does not tell the generation:
    // limited in number per second, and the address is taken over only when the waiter does so.
    [[nodiscard]] bool look_up(std::uint32_t device_number, const coap::Token& token, const coap::PeerId& peer,
                               Waiter waiter);

    // Stores what the registry says of a registration that this shard owns from now on. `objects` is of
    // RegistrationTable::keep_objects(). Null without room.
    Device* own(const internal::v1::OwnedRegistration& owned, const coap::PeerId& peer, std::uint16_t objects);
    // Another owner took the device in `epoch`.
    void on_fenced(std::uint32_t device_number, std::uint32_t epoch);

  private:
    static constexpr std::size_t kWaitersPerDevice = 8;

    // What the message claims to be: a generation, or a token, which is never below 2^32.
    using Claim = std::uint64_t;
    struct Waiting {
        Claim claim = 0;
        coap::PeerId peer;
        Waiter waiter;
    };

    bool send(internal::v1::Adopt&& adopt, const coap::PeerId& peer, const coap::PeerId& owner);
    bool join(std::uint32_t device_number, Claim claim, const coap::PeerId& peer, Waiter& waiter);
    void on_result(std::uint32_t device_number, const coap::PeerId& owner, const RegistryCommands::Result& result);

    ShardContext& context_;
    RegistryCommands& commands_;
    Lifetimes& lifetimes_;
    FlatMap<std::uint32_t, std::vector<Waiting>> waiting_;
    ShardSeconds look_up_second_ = 0;
    std::uint32_t look_ups_ = 0;
};

}  // namespace lanyard::coap_ingress
