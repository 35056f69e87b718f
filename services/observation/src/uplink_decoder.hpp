#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "base/error.hpp"
#include "lwm2m/content_format.hpp"
#include "lwm2m/record.hpp"
#include "spec_table.hpp"

namespace lanyard::events::v1 {
class UplinkRecord;
}

namespace lanyard::observation {

// Why an uplink record goes to the dead-letter topic. `code` is stable, UPPER_SNAKE.
struct Rejection {
    std::string_view code;
    std::string message;
};

// The device ended the observation by an error notification (RFC 7641 section 4.2).
struct Ended {
    std::string reason;  // "4.04 Not Found"
};

// The number of what was observed is not known here (yet).
struct UnknownSpec {};

using Decoded = std::variant<lwm2m::Records, Rejection, Ended, UnknownSpec>;

// What an uplink record says: values with their times (the receive time where the device gave none stays unset),
// or why not. Thread-safe. A notification without Content-Format is taken as text when a single resource is observed
// (LwM2M 1.0 devices leave it out), else rejected.
[[nodiscard]] Decoded decode_uplink(const events::v1::UplinkRecord& record, const SpecTable& specs);

// "4.04 Not Found" for 0x84.
[[nodiscard]] std::string code_text(std::uint32_t coap_code);
// The label of a format in metrics: "tlv", "none" or "other".
[[nodiscard]] std::string_view format_label(const events::v1::UplinkRecord& record);

}  // namespace lanyard::observation
