#pragma once

#include <chrono>
#include <cstdint>

#include "base/time.hpp"
#include "device/endpoint_pattern.hpp"
#include "lwm2m/content_format.hpp"
#include "lwm2m/version.hpp"

namespace lanyard::device {

// What the devices of one fleet have in common. Shares are 0 to 1; which devices they fall on follows from the number
// of the device and `seed`.
struct FleetProfile {
    EndpointPattern endpoints;
    // Number of the first device; the others follow.
    std::uint64_t first_number = 1;
    // `lt`; 0: infinite, no Updates.
    std::uint32_t lifetime_s = 300;
    // An Update is sent when so much of the lifetime has passed, evenly drawn between the two. In percent.
    unsigned update_from_percent = 70;
    unsigned update_to_percent = 90;
    lwm2m::Version version{1, 1};
    // How often a sensor measures; what is then notified is up to the attributes. Zero: only when told to.
    std::chrono::milliseconds sample_interval{10'000};
    // Notifications sent as NON; the others are CON. con=1 makes all of them CON.
    double non_share = 0;
    // Devices that register with queue mode and are deaf when `awake_time` has passed since they last sent.
    double queue_mode_share = 0;
    std::chrono::milliseconds awake_time{93'000};  // MAX_TRANSMIT_WAIT, Core 1.2 section 6.5
    // Format of several values when the request names none.
    lwm2m::ContentFormat preferred = lwm2m::ContentFormat::senml_cbor;
    // RFC 7252 section 4.8.
    std::chrono::milliseconds ack_timeout{2'000};
    unsigned max_retransmit = 4;
    std::uint64_t seed = 1;
    // Each measurement is one hundredth of a degree above the one before, from 0: no value of a device comes twice in
    // 65,536 measurements, so that a checker can tell them apart.
    bool counting = false;
};

}  // namespace lanyard::device
