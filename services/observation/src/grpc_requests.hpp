#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <grpcpp/support/status.h>

#include "identity/resource_name.hpp"
#include "lanyard/observation/v1/observation.pb.h"
#include "observation/types.hpp"
#include "value_streams.hpp"

namespace lanyard::observation {

// What a request says, or the status that refuses it (INVALID_ARGUMENT that names the field).
template <class T>
using Checked = std::variant<T, grpc::Status>;

struct ObservationName {
    identity::DeviceName device;
    std::string id;
};
struct TemplateName {
    std::string tenant;
    std::string id;
};

[[nodiscard]] Checked<identity::DeviceName> check_device(std::string field, std::string_view name);
[[nodiscard]] Checked<std::string> check_tenant_name(std::string field, std::string_view name);
// "tenants/{tenant}/devices/{endpoint}/observations/{id}".
[[nodiscard]] Checked<ObservationName> check_observation_name(std::string_view name);
// "tenants/{tenant}/observationTemplates/{id}".
[[nodiscard]] Checked<TemplateName> check_template_name(std::string_view name);
// spec is not set.
[[nodiscard]] Checked<OwnObservation> check_create(const v1::CreateObservationRequest& request);
[[nodiscard]] Checked<Template> check_create(const v1::CreateObservationTemplateRequest& request);
[[nodiscard]] Checked<std::vector<lwm2m::Path>> check_prefixes(
    const google::protobuf::RepeatedPtrField<std::string>& in);
[[nodiscard]] Checked<StreamRequest> check_stream(const v1::StreamValuesRequest& request, const SipKey& key);

void fill_template(const Template& entry, v1::ObservationTemplate& out);

}  // namespace lanyard::observation
