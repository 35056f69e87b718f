#include "registry_commands.hpp"

#include <utility>

namespace lanyard::coap_ingress {

bool RegistryCommands::send(Command&& command, Done done) {
    if (pending_.size() >= context_.config.registry.pending_max) return false;
    const std::uint64_t id = next_id_++;
    command.set_id(id);
    const bool registers = command.has_register_();
    if (!context_.setup.registry.send(std::move(command))) return false;
    pending_.try_emplace(id, Pending{std::move(done), context_.now.steady, registers});
    deadlines_.push_back({context_.now.steady + context_.config.registry.deadline, id});
    return true;
}

void RegistryCommands::on_result(const Result& result) {
    Pending* found = pending_.find(result.id());
    if (found == nullptr) return;
    const Pending pending = std::move(*found);
    pending_.erase(result.id());
    if (pending.registers && context_.metrics.register_duration != nullptr) {
        const std::chrono::duration<double> took = context_.now.steady - pending.sent;
        context_.metrics.register_duration->observe(took.count());
    }
    pending.done(result);
}

void RegistryCommands::on_timer() {
    while (!deadlines_.empty() && deadlines_.front().at <= context_.now.steady) {
        Result late;
        late.set_id(deadlines_.front().id);
        late.set_status(Result::STATUS_UNAVAILABLE);
        late.set_message("the registry does not answer");
        deadlines_.pop_front();
        on_result(late);
    }
}

}  // namespace lanyard::coap_ingress
