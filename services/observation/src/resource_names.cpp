#include "resource_names.hpp"

#include "lwm2m/model.hpp"

namespace lanyard::observation {

void name_value(TelemetryValue& value) {
    const auto object_id = value.path.object();
    const auto resource_id = value.path.resource();
    if (!object_id || !resource_id) return;
    const auto object = lwm2m::find_object(*object_id);
    if (!object) return;
    value.object_name = object->name;
    const auto resource = lwm2m::find_resource(*object, *resource_id);
    if (!resource) return;
    value.resource_name = resource->name;
    value.unit = resource->units;
}

}  // namespace lanyard::observation
