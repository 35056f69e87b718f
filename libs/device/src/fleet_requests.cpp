#include <algorithm>
#include <cstring>

#include "fleet_core.hpp"

namespace lanyard::device {
namespace {

using coap::Code;
using coap::OptionNumber;

// RFC 7252 section 5.4.1: an option that must be understood and is not.
bool has_bad_option(const coap::MessageView& request) {
    for (const coap::OptionView& option : request.options()) {
        if (coap::is_critical(option.number) && !coap::is_recognized(option.number, option.value.size())) return true;
    }
    return false;
}

// The answers of a fleet fit into one datagram, and so must the requests.
bool has_block_beyond_first(const coap::MessageView& request) {
    const auto block1 = request.find_block(OptionNumber::block1);
    const auto block2 = request.find_block(OptionNumber::block2);
    return (block1 && (block1->more || block1->num != 0)) || (block2 && block2->num != 0);
}

bool same_token(const ObservationSlot& slot, const coap::Token& token) {
    return slot.token_size == token.size() && std::memcmp(slot.token.data(), token.bytes().data(), token.size()) == 0;
}

}  // namespace

SensorTree Fleet::Core::tree_of(DeviceIndex index, const TemperatureSensor& sensor) {
    const FleetDevice& device = devices_[index];
    endpoint_ = endpoint(index);
    return {sensor, device.lifetime_s, endpoint_, attributes_, device.attributes};
}

void Fleet::Core::on_request(DeviceIndex index, const coap::MessageView& request) {
    FleetDevice& device = devices_[index];
    if (device.state == DeviceState::off) return;
    if (device.queue_mode && reached(device.sent_at + static_cast<FleetMillis>(profile_.awake_time.count()), now_ms_)) {
        ++counters_.requests_while_asleep;
        return;
    }
    ++counters_.requests_answered;
    if (has_bad_option(request)) return respond(index, request, {Code::bad_option, {}, {}}, std::nullopt);
    if (has_block_beyond_first(request)) {
        return respond(index, request, {Code::request_entity_too_large, {}, {}}, std::nullopt);
    }
    const ParsedOperation parsed = parse_operation(request, request.payload());
    if (parsed.refusal != Code::empty) return respond(index, request, {parsed.refusal, {}, {}}, std::nullopt);
    SensorTree tree = tree_of(index, device.sensor);
    const Answer answer = serve(tree, parsed.operation, profile_.preferred);
    std::optional<std::uint32_t> sequence;
    if (coap::is_success(answer.code)) {
        if (parsed.operation.kind == OperationKind::execute) ++counters_.executes;
        if (parsed.operation.kind == OperationKind::observe) {
            sequence = observe(device, request, parsed.operation, answer);
        }
        if (parsed.operation.kind == OperationKind::cancel_observation) cancel(device, request, parsed.operation);
    }
    respond(index, request, answer, sequence);
    apply(device, tree);
    run_due(index);
}

void Fleet::Core::respond(DeviceIndex index, const coap::MessageView& request, const Answer& answer,
                          std::optional<std::uint32_t> observe) {
    const bool confirmable = request.type() == coap::Type::confirmable;
    const coap::Header header{confirmable ? coap::Type::acknowledgement : coap::Type::non_confirmable, answer.code,
                              confirmable ? request.mid() : devices_[index].next_mid++};
    coap::MessageWriter writer(buffer_, header, request.token());
    if (observe) writer.option_uint(OptionNumber::observe, *observe & 0xffffff);
    if (answer.format) writer.option_uint(OptionNumber::content_format, lwm2m::number_of(*answer.format));
    writer.payload(answer.payload);
    transmit(index, writer.finish());
}

// A second Observe for a path takes the place of the first. Without a free slot the answer carries no Observe option,
// which tells the server that nothing will follow (RFC 7641 section 4.1).
std::optional<std::uint32_t> Fleet::Core::observe(FleetDevice& device, const coap::MessageView& request,
                                                  const Operation& operation, const Answer& answer) {
    const std::optional<std::uint8_t> number = observable_number(operation.path);
    if (!number) return std::nullopt;
    auto slot = std::find_if(device.slots.begin(), device.slots.end(), [&](const ObservationSlot& known) {
        return known.active && (known.observed == *number || same_token(known, request.token()));
    });
    if (slot == device.slots.end()) slot = std::ranges::find(device.slots, false, &ObservationSlot::active);
    if (slot == device.slots.end()) return std::nullopt;
    if (!slot->active) ++counters_.observations_begun;
    slot->active = true;
    slot->due = false;
    slot->observed = *number;
    slot->token_size = static_cast<std::uint8_t>(request.token().size());
    std::memcpy(slot->token.data(), request.token().bytes().data(), slot->token_size);
    slot->format = lwm2m::number_of(answer.format.value_or(profile_.preferred));
    slot->notified = slot->previous = device.sensor.value;
    slot->notified_at = now_ms_;
    return slot->sequence++;
}

void Fleet::Core::cancel(FleetDevice& device, const coap::MessageView& request, const Operation& operation) {
    const std::optional<std::uint8_t> number = observable_number(operation.path);
    for (ObservationSlot& slot : device.slots) {
        if (slot.active && (same_token(slot, request.token()) || number == slot.observed)) end_observation(slot);
    }
}

void Fleet::Core::apply(FleetDevice& device, const SensorTree& tree) {
    device.attributes = tree.attribute_set();
    switch (tree.effect()) {
        case SensorTree::Effect::none:
            break;
        case SensorTree::Effect::reset_min_max:
            device.sensor.reset_min_max();
            break;
        case SensorTree::Effect::reboot:
            device.pending.kind = ExchangeKind::none;
            device.attributes = AttributeTable::kNone;
            lose_registration(device, std::chrono::milliseconds(1'000));
            break;
        case SensorTree::Effect::update_registration:
            device.lifetime_changed = device.lifetime_s != tree.lifetime_s();
            device.lifetime_s = tree.lifetime_s();
            device.update_at = now_ms_;
            break;
    }
}

}  // namespace lanyard::device
