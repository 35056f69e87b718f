#pragma once

#include "telemetry_value.hpp"

namespace lanyard::observation {

// Fills object_name, resource_name and unit of a value from the object registry; leaves them empty where it does not
// know the object or resource.
void name_value(TelemetryValue& value);

}  // namespace lanyard::observation
