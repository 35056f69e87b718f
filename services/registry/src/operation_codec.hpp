#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "lanyard/internal/v1/downlink.pb.h"
#include "lwm2m/content_format.hpp"
#include "lwm2m/model.hpp"
#include "lwm2m/object_links.hpp"
#include "lwm2m/path.hpp"
#include "lwm2m/record.hpp"
#include "lwm2m/version.hpp"
#include "lwm2m_coap/operation.hpp"
#include "registry/device_record.hpp"

namespace lanyard::registry {

// What a device's registration says about how to talk to it.
struct DeviceDialect {
    lwm2m::Version version;
    lwm2m::ObjectList objects;
    lwm2m::RegistryModels models;
};
[[nodiscard]] DeviceDialect dialect_of(const RegistrationInfo& registration);

// A path of `min` to 4 ids, outside of /0, /21 and /23. invalid_argument.
[[nodiscard]] Result<lwm2m::Path> parse_operation_path(const std::string& text, std::size_t min);
// invalid_argument: a number that no codec knows.
[[nodiscard]] Result<lwm2m::ContentFormat> parse_format(std::uint32_t number);

// What to ask for in a Read; nothing leaves the choice to the device.
[[nodiscard]] std::optional<lwm2m::ContentFormat> read_format(const DeviceDialect& dialect);
// What to send in a Write of `count` values to `path`.
[[nodiscard]] lwm2m::ContentFormat write_format(const DeviceDialect& dialect, const lwm2m::Path& path,
                                                const lwm2m::Records& records);

// The request as the ingress takes it. invalid_argument when the operation is not allowed there.
[[nodiscard]] Result<internal::v1::CoapRequest> to_coap_request(const lwm2m_coap::Operation& operation);

}  // namespace lanyard::registry
