#include "device/fleet.hpp"

#include "fleet_core.hpp"

namespace lanyard::device {

std::string_view to_string(ExchangeKind kind) {
    switch (kind) {
        case ExchangeKind::none:
            return "none";
        case ExchangeKind::register_:
            return "register";
        case ExchangeKind::update:
            return "update";
        case ExchangeKind::deregister:
            return "deregister";
        case ExchangeKind::notify:
            return "notify";
        case ExchangeKind::send:
            return "send";
    }
    return "unknown";
}

bool ExchangeReport::succeeded() const {
    if (outcome != ExchangeOutcome::answered) return false;
    return kind == ExchangeKind::notify ? code == coap::Code::empty : coap::is_success(code);
}

Fleet::Fleet(const FleetProfile& profile, std::size_t count, FleetSink& sink, Now now)
    : core_(std::make_unique<Core>(profile, count, sink, now)) {}
Fleet::~Fleet() = default;

void Fleet::start(DeviceIndex device, SteadyTime at) {
    core_->start(device, at);
}
void Fleet::receive(DeviceIndex device, ByteView datagram, Now now) {
    core_->enter(now);
    core_->receive(device, datagram);
}
void Fleet::advance(Now now) {
    core_->enter(now);
    core_->advance();
}
std::optional<SteadyTime> Fleet::next_deadline() const {
    return core_->next_deadline();
}

bool Fleet::send_register(DeviceIndex device, Now now) {
    core_->enter(now);
    return core_->begin(device, ExchangeKind::register_);
}
bool Fleet::send_update(DeviceIndex device, Now now) {
    core_->enter(now);
    return core_->begin(device, ExchangeKind::update);
}
bool Fleet::send_deregister(DeviceIndex device, Now now) {
    core_->enter(now);
    return core_->begin(device, ExchangeKind::deregister);
}
bool Fleet::send_notification(DeviceIndex device, bool confirmable, Now now) {
    core_->enter(now);
    return core_->trigger_notification(device, confirmable);
}
bool Fleet::send_data(DeviceIndex device, Now now) {
    core_->enter(now);
    // Only what is sent is measured: a device that is busy is asked again and again under load.
    if (!core_->may_begin(device, ExchangeKind::send)) return false;
    core_->measure(device);
    return core_->begin(device, ExchangeKind::send);
}

std::size_t Fleet::size() const {
    return core_->size();
}
std::string Fleet::endpoint(DeviceIndex device) const {
    return core_->endpoint(device);
}
bool Fleet::is_registered(DeviceIndex device) const {
    return core_->device(device).state == DeviceState::registered;
}
bool Fleet::is_observed(DeviceIndex device) const {
    return Core::temperature_slot(core_->device(device)) != nullptr;
}
double Fleet::temperature(DeviceIndex device) const {
    return degrees(core_->device(device).sensor.value);
}
const FleetCounters& Fleet::counters() const {
    return core_->counters();
}

}  // namespace lanyard::device
