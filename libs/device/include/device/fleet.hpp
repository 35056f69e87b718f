#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "coap/code.hpp"
#include "device/fleet_profile.hpp"
#include "lwm2m/path.hpp"

namespace lanyard::device {

// Index of a device in its fleet, from 0.
using DeviceIndex = std::uint32_t;

// What a device has sent and wants to be settled by the server.
enum class ExchangeKind : std::uint8_t { none, register_, update, deregister, notify, send };
inline constexpr std::size_t kExchangeKinds = 6;
// "register", "update", …
std::string_view to_string(ExchangeKind kind);

enum class ExchangeOutcome : std::uint8_t { answered, timed_out, reset };

// The end of one confirmable exchange.
struct ExchangeReport {
    DeviceIndex device = 0;
    ExchangeKind kind = ExchangeKind::none;
    ExchangeOutcome outcome = ExchangeOutcome::answered;
    coap::Code code = coap::Code::empty;  // of the answer; empty for the ACK of a notification
    std::uint32_t latency_us = 0;         // since the first transmission
    std::uint8_t transmissions = 1;
    // notify and send: what was said of /3303/0/5700, and for notify what was observed and the Observe value.
    double value = 0;
    lwm2m::Path path;
    std::uint32_t sequence = 0;
    // register, update and deregister: the registration meant, "rd/…" without leading slash; empty when there is none.
    // Valid during the call.
    std::string_view location;

    [[nodiscard]] bool succeeded() const;
};

// What a fleet wants from its owner. Called from within the fleet's functions, which must not be called again from
// there, except the trigger functions from within on_finished().
class FleetSink {
  public:
    virtual ~FleetSink() = default;
    // To be sent to the server from this device's address; `datagram` is valid during the call only.
    virtual void transmit(DeviceIndex device, ByteView datagram) = 0;
    virtual void on_finished(const ExchangeReport& report) = 0;
};

struct FleetCounters {
    std::uint64_t datagrams_sent = 0;
    std::uint64_t datagrams_received = 0;
    std::uint64_t malformed = 0;
    std::uint64_t unmatched = 0;  // ACKs and responses that belong to nothing outstanding
    std::uint64_t retransmissions = 0;
    std::uint64_t requests_answered = 0;
    std::uint64_t requests_while_asleep = 0;  // lost, as the device is deaf
    std::uint64_t notifications_con = 0;
    std::uint64_t notifications_non = 0;
    std::uint64_t observations_begun = 0;
    std::uint64_t observations_ended = 0;  // by Reset, cancellation or a new registration
    std::uint64_t executes = 0;
    std::uint64_t registered_now = 0;  // devices that have a location
};

// Up to a million LwM2M temperature sensors in one process: 200 bytes each, one timer wheel and one set of buffers
// for all of them. Objects 1, 3, 4 and 3303 (5700, 5701, 5601, 5602, reset by 5605 or 5603).
//
// Each device registers, keeps its registration alive, answers Read, Write, Write-Attributes, Execute and Discover in
// text, TLV and SenML, and notifies its observations by pmin, pmax, gt, lt, st and con. It has one confirmable message
// outstanding (NSTART 1, RFC 7252 section 4.7) and retransmits it; when that fails it registers anew. 4.04 to an
// Update makes it register anew, 5.03 makes it wait for Max-Age and up to half as long again, other errors back off.
//
// Does no I/O and reads no clock. Not thread-safe; one per thread.
class Fleet {
  public:
    Fleet(const FleetProfile& profile, std::size_t count, FleetSink& sink, Now now);
    ~Fleet();
    Fleet(const Fleet&) = delete;
    Fleet& operator=(const Fleet&) = delete;

    // The device registers at `at`, and again if it was registered before.
    void start(DeviceIndex device, SteadyTime at);
    void receive(DeviceIndex device, ByteView datagram, Now now);
    // Runs what is due. To be called at or after next_deadline().
    void advance(Now now);
    [[nodiscard]] std::optional<SteadyTime> next_deadline() const;

    // Triggers for load: false when the device has something outstanding or is in no state for it.
    bool send_register(DeviceIndex device, Now now);
    bool send_update(DeviceIndex device, Now now);
    bool send_deregister(DeviceIndex device, Now now);
    // Measures and notifies the first observation that covers /3303/0/5700, whatever its attributes say.
    bool send_notification(DeviceIndex device, bool confirmable, Now now);
    // Measures and sends /3303/0/5700 by the Send operation (POST /dp).
    bool send_data(DeviceIndex device, Now now);

    [[nodiscard]] std::size_t size() const;
    [[nodiscard]] std::string endpoint(DeviceIndex device) const;
    [[nodiscard]] bool is_registered(DeviceIndex device) const;
    // Whether /3303/0/5700 is under observation.
    [[nodiscard]] bool is_observed(DeviceIndex device) const;
    [[nodiscard]] double temperature(DeviceIndex device) const;
    [[nodiscard]] const FleetCounters& counters() const;

  private:
    class Core;
    std::unique_ptr<Core> core_;
};

}  // namespace lanyard::device
