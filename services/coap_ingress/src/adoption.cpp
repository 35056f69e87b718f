#include "adoption.hpp"

#include <utility>

namespace lanyard::coap_ingress {

using Result = RegistryCommands::Result;

bool Adoption::adopt(std::uint32_t device_number, std::uint32_t generation, const coap::PeerId& peer, Waiter waiter) {
    if (waiting_.contains(device_number)) return join(device_number, generation, peer, waiter);
    internal::v1::Adopt adopt;
    adopt.set_device_number(device_number);
    adopt.set_generation(generation);
    if (!send(std::move(adopt), peer, peer)) return false;
    waiting_[device_number].push_back({generation, peer, std::move(waiter)});
    return true;
}

bool Adoption::look_up(std::uint32_t device_number, const coap::Token& token, const coap::PeerId& peer, Waiter waiter) {
    const Claim claim = ByteReader(token.bytes()).u64();
    if (waiting_.contains(device_number)) return join(device_number, claim, peer, waiter);
    if (const ShardSeconds second = context_.seconds(); second != look_up_second_) {
        look_up_second_ = second;
        look_ups_ = 0;
    }
    if (look_ups_ >= context_.config.registry.adoptions_per_second) return false;
    internal::v1::Adopt adopt;
    adopt.set_device_number(device_number);
    adopt.set_token(token.bytes().data(), token.size());
    if (!send(std::move(adopt), peer, coap::PeerId{{}, kNoListener})) return false;
    ++look_ups_;
    waiting_[device_number].push_back({claim, peer, std::move(waiter)});
    return true;
}

bool Adoption::join(std::uint32_t device_number, Claim claim, const coap::PeerId& peer, Waiter& waiter) {
    auto& waiters = *waiting_.find(device_number);
    if (waiters.size() >= kWaitersPerDevice) return false;
    waiters.push_back({claim, peer, std::move(waiter)});
    return true;
}

bool Adoption::send(internal::v1::Adopt&& adopt, const coap::PeerId& peer, const coap::PeerId& owner) {
    const std::uint32_t device_number = adopt.device_number();
    internal::v1::RegistrationCommand command;
    *command.mutable_adopt() = std::move(adopt);
    command.mutable_adopt()->set_remote_address(peer_text(peer));
    command.mutable_adopt()->set_tenant(std::string(context_.tenant_of(peer)));
    command.mutable_adopt()->set_same_address(context_.config.nosec_rebind == Rebind::strict);
    command.mutable_adopt()->set_shard(context_.setup.shard);
    command.mutable_adopt()->set_received_ms(context_.now.wall_ms);
    return commands_.send(std::move(command), [this, device_number, owner](const Result& result) {
        on_result(device_number, owner, result);
    });
}

void Adoption::on_result(std::uint32_t device_number, const coap::PeerId& owner, const Result& result) {
    const std::vector<Waiting> waiters = std::move(waiting_[device_number]);
    waiting_.erase(device_number);
    Device* device = nullptr;
    AdoptOutcome outcome = AdoptOutcome::unavailable;
    if (result.status() == Result::STATUS_OK) {
        const auto& objects = result.registration().objects();
        device = own(result.registration(), owner,
                     context_.table.keep_objects({objects.data(), static_cast<std::size_t>(objects.size())}));
        if (device != nullptr) {
            outcome = AdoptOutcome::adopted;
            context_.metrics.adoptions.add();
        }
    } else if (result.status() == Result::STATUS_UNKNOWN) {
        outcome = AdoptOutcome::unknown;
    }
    for (const auto& [claim, peer, waiter] : waiters) {
        // What the registry refused is the claim of the first: the others have to ask for themselves.
        const bool same = claim == waiters.front().claim && peer == waiters.front().peer;
        if (outcome == AdoptOutcome::unknown && !same) {
            waiter(AdoptOutcome::unavailable, nullptr);
            continue;
        }
        // An earlier waiter may have ended the registration.
        device = device == nullptr ? nullptr : context_.table.find(device_number);
        if (outcome == AdoptOutcome::adopted && device == nullptr) outcome = AdoptOutcome::unknown;
        waiter(outcome, device);
    }
}

Device* Adoption::own(const internal::v1::OwnedRegistration& owned, const coap::PeerId& peer, std::uint16_t objects) {
    if (Device* known = context_.table.find(owned.device_number())) {
        if (known->epoch > owned.epoch()) return known;  // results may come out of order
        const bool moved = known->peer.listener != kNoListener && !(known->peer == peer);
        if (moved) context_.endpoint->rebind_peer(known->peer, peer, context_.now);
    }
    DeviceInfo info;
    info.number = owned.device_number();
    info.generation = owned.generation();
    info.epoch = owned.epoch();
    info.pledge_s = owned.pledge_s();
    info.lifetime_s = owned.lifetime_s();
    info.queue_mode = owned.queue_mode();
    info.version = lwm2m::Version::parse(owned.lwm2m_version()).value_or(lwm2m::Version{});
    info.tenant = owned.tenant();
    info.endpoint = owned.endpoint();
    info.root_path = owned.root_path();
    info.objects = objects;
    if (info.number == 0 || info.endpoint.size() > 255) return nullptr;
    Device* device = context_.table.put(info, peer);
    if (device == nullptr) return nullptr;
    device->expiring = false;
    device->renewed = device->heard = context_.seconds();
    lifetimes_.watch(*device);
    return device;
}

void Adoption::on_fenced(std::uint32_t device_number, std::uint32_t epoch) {
    Device* device = context_.table.find(device_number);
    if (device == nullptr || device->epoch >= epoch) return;
    context_.metrics.fenced.add();
    lifetimes_.forget(*device);
    context_.table.erase(*device);
}

}  // namespace lanyard::coap_ingress
