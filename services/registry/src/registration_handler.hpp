#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/hash.hpp"
#include "identity/observation_token.hpp"
#include "lanyard/internal/v1/registration.pb.h"
#include "registry/config.hpp"
#include "registry/device_store.hpp"

namespace lanyard::registry {

// Carries out the commands of ingress processes on the store and says what came of them. All on the service's loop.
class RegistrationHandler {
  public:
    using Reply = std::function<void(internal::v1::RegistrationResult&&)>;
    struct Events {
        // An outbox of this partition has something new.
        std::function<void(std::uint32_t partition)> changed;
        // `former` lost the device to another owner.
        std::function<void(std::uint32_t former_node, const internal::v1::Fenced& fenced)> fenced;
        // For metrics: "register", "ok".
        std::function<void(std::string_view operation, std::string_view result)> counted;
        std::function<void(std::size_t ended)> expired;
    };

    // `key` is the cluster key.
    RegistrationHandler(DeviceStore& store, const Config& config, const SipKey& key, Events events);
    ~RegistrationHandler();
    RegistrationHandler(const RegistrationHandler&) = delete;
    RegistrationHandler& operator=(const RegistrationHandler&) = delete;

    // `node` is the sender. Replies once, maybe before it returns.
    void handle(std::uint32_t node, const internal::v1::RegistrationCommand& command, Reply reply);
    // Commands that are not yet answered.
    [[nodiscard]] std::size_t pending() const { return pending_; }

  private:
    using Command = internal::v1::RegistrationCommand;

    // What every answer needs.
    struct Call {
        std::uint64_t id = 0;
        std::string_view operation;
        Reply reply;
    };

    struct Owner {
        std::uint32_t node = 0;
        std::uint16_t shard = 0;
        friend bool operator==(const Owner&, const Owner&) = default;
    };

    // What a successful command does beside the record.
    struct Effects {
        bool emits;  // a lifecycle event
        bool owner_may_change;
    };
    static constexpr Effects kAdopts{false, true};
    static constexpr Effects kEnds{true, false};

    void on_register(std::uint32_t node, const internal::v1::Register& in, Call call);
    void on_update(const internal::v1::Update& in, Call call);
    void on_deregister(const internal::v1::Deregister& in, Call call);
    void on_adopt(std::uint32_t node, const internal::v1::Adopt& in, Call call);
    // The generation that the token of a notification belongs to is adopted, if it is the current one.
    void adopt_by_token(AdoptCommand command, const identity::ObservationToken& token, Call call);
    void on_resolve(const internal::v1::Resolve& in, Call call);
    void on_touch(const internal::v1::Touch& in, Call call);
    void on_expire(const internal::v1::Expire& in, Call call);
    [[nodiscard]] Result<void> check_register(const internal::v1::Register& in) const;
    // Longest link list that a device of the tenant may bring, in bytes.
    [[nodiscard]] std::uint32_t links_max(const std::string& tenant) const;
    [[nodiscard]] bool links_fit(const std::string& tenant,
                                 const internal::v1::RegistrationParameters& parameters) const;
    void refuse_links(Call& call, const std::string& tenant);
    // The answer to a command about one registration.
    Done<Change> changed(Call call, Effects effects);
    // Tells the former owner, if there was another one.
    void fence(Owner former, Owner now, identity::DeviceNumber device, std::uint32_t epoch);
    void answer(Call& call, const Error& error);
    // Unset status: ok.
    void answer(Call& call, internal::v1::RegistrationResult&& result);

    DeviceStore& store_;
    const Config& config_;
    const SipKey key_;
    const Events events_;
    std::map<std::string, const TenantPolicy*, std::less<>> tenants_;
    std::size_t pending_ = 0;
    std::shared_ptr<RegistrationHandler*> alive_;
};

}  // namespace lanyard::registry
