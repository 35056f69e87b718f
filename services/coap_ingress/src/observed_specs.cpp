#include "observed_specs.hpp"

#include <utility>

#include "identity/observation_token.hpp"

namespace lanyard::coap_ingress {

void ObservedSpecs::learn(const Request& request) {
    if (!request.has_observe() || request.observe() != 0) return;
    const auto token = identity::parse_observation_token(as_bytes(request.token()));
    if (!token || known_.contains(token->spec)) return;
    Request observed = request;
    observed.clear_token();
    observed.clear_observe();
    observed.clear_accept();
    known_.try_emplace(token->spec, std::move(observed));
}

bool ObservedSpecs::find(std::uint16_t spec, Waiter waiter) {
    if (const Request* known = known_.find(spec)) return waiter(known), true;
    if (waiters_ >= kWaitersMax) return false;
    if (!waiting_.contains(spec)) {
        internal::v1::RegistrationCommand command;
        command.mutable_resolve()->set_spec(spec);
        const bool sent = commands_.send(
            std::move(command), [this, spec](const RegistryCommands::Result& result) { on_result(spec, result); });
        if (!sent) return false;
    }
    waiting_[spec].push_back(std::move(waiter));
    ++waiters_;
    return true;
}

void ObservedSpecs::on_result(std::uint16_t spec, const RegistryCommands::Result& result) {
    const std::vector<Waiter> waiters = std::move(waiting_[spec]);
    waiting_.erase(spec);
    waiters_ -= waiters.size();
    if (result.status() == RegistryCommands::Result::STATUS_OK && result.has_observed()) {
        known_.try_emplace(spec, result.observed());
    }
    for (const Waiter& waiter : waiters) waiter(known_.find(spec));
}

}  // namespace lanyard::coap_ingress
