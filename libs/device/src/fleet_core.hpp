#pragma once

#include <array>
#include <span>
#include <vector>

#include "base/timer_wheel.hpp"
#include "coap/message.hpp"
#include "device/fleet.hpp"
#include "device/operation.hpp"
#include "fleet_device.hpp"
#include "sensor_tree.hpp"

namespace lanyard::device {

// The devices of a fleet and what they share: time, timers, buffers. Split over fleet_core.cpp (exchanges, timers),
// fleet_messages.cpp (bytes out), fleet_requests.cpp (requests of the server), fleet_notify.cpp (observations).
class Fleet::Core {
  public:
    Core(const FleetProfile& profile, std::size_t count, FleetSink& sink, Now now);

    void enter(Now now);
    void start(DeviceIndex index, SteadyTime at);
    void receive(DeviceIndex index, ByteView datagram);
    void advance();
    [[nodiscard]] std::optional<SteadyTime> next_deadline() const { return wheel_.next_deadline(); }

    // Whether begin() would: nothing is outstanding and the device is in a state for it.
    [[nodiscard]] bool may_begin(DeviceIndex index, ExchangeKind kind) const;
    // Begins an exchange of this kind unless one is outstanding.
    bool begin(DeviceIndex index, ExchangeKind kind);
    bool trigger_notification(DeviceIndex index, bool confirmable);
    void measure(DeviceIndex index);

    [[nodiscard]] const FleetDevice& device(DeviceIndex index) const { return devices_[index]; }
    [[nodiscard]] std::size_t size() const { return devices_.size(); }
    [[nodiscard]] std::string endpoint(DeviceIndex index) const;
    [[nodiscard]] const FleetCounters& counters() const { return counters_; }
    [[nodiscard]] static const ObservationSlot* temperature_slot(const FleetDevice& device);

  private:
    // Time.
    [[nodiscard]] SteadyTime steady(FleetMillis time) const;
    [[nodiscard]] FleetMillis after(std::chrono::milliseconds delay) const;
    void run_due(DeviceIndex index);
    void rearm(DeviceIndex index);
    [[nodiscard]] FleetMillis next_time(const FleetDevice& device) const;

    // Exchanges.
    void open_exchange(DeviceIndex index, ExchangeKind kind);
    void retry(DeviceIndex index);
    void on_acknowledgement(DeviceIndex index, const coap::MessageView& message);
    void on_reset(DeviceIndex index, std::uint16_t mid);
    void on_response(DeviceIndex index, const coap::MessageView& message);
    void finish(DeviceIndex index, ExchangeOutcome outcome, const coap::MessageView* answer);
    void settle_register(FleetDevice& device, ExchangeOutcome outcome, const coap::MessageView* answer);
    void settle_update(FleetDevice& device, ExchangeOutcome outcome, const coap::MessageView* answer);
    void settle_notify(FleetDevice& device, ExchangeOutcome outcome, std::uint8_t slot);
    void settle_send(FleetDevice& device, ExchangeOutcome outcome, const coap::MessageView* answer);
    void report(DeviceIndex index, const PendingExchange& done, ExchangeOutcome outcome, coap::Code code);
    void lose_registration(FleetDevice& device, std::chrono::milliseconds delay);
    void schedule_update(FleetDevice& device);
    [[nodiscard]] std::chrono::milliseconds backoff(FleetDevice& device) const;
    [[nodiscard]] static std::chrono::milliseconds max_age_wait(FleetDevice& device, const coap::MessageView& answer);

    // Bytes out.
    void transmit(DeviceIndex index, ByteView datagram);
    void transmit_empty(DeviceIndex index, coap::Type type, std::uint16_t mid);
    void transmit_pending(DeviceIndex index);
    ByteView build_register(DeviceIndex index);
    ByteView build_on_location(const FleetDevice& device, coap::Code method);
    ByteView build_send(const FleetDevice& device);
    ByteView build_notification(DeviceIndex index, const ObservationSlot& slot, coap::Type type,
                                const PendingExchange& what);

    // Requests of the server.
    void on_request(DeviceIndex index, const coap::MessageView& request);
    void respond(DeviceIndex index, const coap::MessageView& request, const Answer& answer,
                 std::optional<std::uint32_t> observe);
    std::optional<std::uint32_t> observe(FleetDevice& device, const coap::MessageView& request,
                                         const Operation& operation, const Answer& answer);
    void cancel(FleetDevice& device, const coap::MessageView& request, const Operation& operation);
    void apply(FleetDevice& device, const SensorTree& tree);
    [[nodiscard]] SensorTree tree_of(DeviceIndex index, const TemperatureSensor& sensor);

    // Observations.
    void sample(FleetDevice& device);
    // The sensor's next value: a measurement, or the next number when the profile is `counting`.
    void take_value(FleetDevice& device);
    void notify_due(DeviceIndex index);
    void notify(DeviceIndex index, std::uint8_t slot, bool confirmable);
    [[nodiscard]] bool must_notify(const FleetDevice& device, const ObservationSlot& slot) const;
    [[nodiscard]] bool wants_confirmable(const FleetDevice& device, const ObservationSlot& slot) const;
    [[nodiscard]] std::optional<FleetMillis> notify_time(const FleetDevice& device, const ObservationSlot& slot) const;
    void end_observation(ObservationSlot& slot);
    void end_observations(FleetDevice& device);

    const FleetProfile profile_;
    FleetSink& sink_;
    const SteadyTime origin_;
    Now now_;
    FleetMillis now_ms_ = 0;
    std::uint32_t now_us_ = 0;
    std::vector<FleetDevice> devices_;
    TimerWheel wheel_;
    AttributeTable attributes_;
    std::string endpoint_;  // of the device whose tree is in use
    std::array<std::uint8_t, kMaxFleetDatagram> buffer_{};
    FleetCounters counters_;
};

}  // namespace lanyard::device
