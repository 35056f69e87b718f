#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "identity/device_number.hpp"

namespace lanyard::observation {

using identity::DeviceNumber;

// Notification attributes by name; an empty value unsets the attribute.
using AttributeMap = std::map<std::string, std::string>;

// Number of an interned list of paths (ObservationSpec in storage). 0 is none.
using SpecId = std::uint16_t;

struct Spec {
    SpecId id = 0;
    std::vector<std::string> paths;
    friend bool operator==(const Spec&, const Spec&) = default;
};

// A rule that gives observations to each device that matches (ObservationTemplate).
struct Template {
    std::string tenant;
    std::string id;
    std::string filter;           // AIP-160 on endpoint and labels; empty: all
    std::uint16_t object_id = 0;  // must be announced; 0: any
    std::vector<std::string> paths;
    AttributeMap attributes;
    std::optional<std::uint16_t> accept;
    friend bool operator==(const Template&, const Template&) = default;
};

struct TemplateSet {
    std::uint64_t version = 0;  // rises with every change
    std::vector<Template> templates;
};

// An observation that somebody asked for on one device. Its id is the path with dots: "3303.0.5700".
struct OwnObservation {
    std::string id;
    std::string path;
    AttributeMap attributes;
    std::optional<std::uint16_t> accept;
    SpecId spec = 0;
    friend bool operator==(const OwnObservation&, const OwnObservation&) = default;
};

// Values of lanyard.observation.v1.Observation.State.
enum class State : std::uint8_t { pending = 1, active = 2, failed = 3 };

struct ObservationState {
    SpecId spec = 0;
    State state = State::pending;
    std::string reason;            // why it failed
    std::uint32_t generation = 0;  // of the registration for which this holds
    UnixMillis since_ms = 0;       // when the device said so; the later word stays
    friend bool operator==(const ObservationState&, const ObservationState&) = default;
};

// What the store keeps of one device.
struct DeviceRecord {
    std::vector<OwnObservation> own;
    std::vector<ObservationState> states;
};

// The newest notification of one observation.
struct LastNotify {
    SpecId spec = 0;
    std::uint32_t generation = 0;
    std::uint32_t observe_sequence = 0;
    UnixMillis received_ms = 0;
    friend bool operator==(const LastNotify&, const LastNotify&) = default;
};

// The newest value of one path.
struct LatestValue {
    std::string path;
    UnixMillis time_ms = 0;  // of measurement: the newest wins
    std::string record;      // serialized lanyard.storage.v1.StoredLatestValue
    friend bool operator==(const LatestValue&, const LatestValue&) = default;
};

struct LatestRecord {
    std::vector<LatestValue> values;
    std::vector<LastNotify> notifies;
};

}  // namespace lanyard::observation
