#include "grpc_requests.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "rpc/status.hpp"
#include "template_rules.hpp"

namespace lanyard::observation {
namespace {

constexpr std::string_view kObservations = "/observations/";
constexpr std::string_view kTemplates = "/observationTemplates/";
constexpr int kMaxPrefixes = 64;

grpc::Status refuse(std::string field, std::string description) {
    return rpc::invalid_field(std::move(field), std::move(description));
}

template <class Message>
bool read_accept(const Message& message, std::optional<std::uint16_t>& out) {
    if (!message.has_accept()) return true;
    if (message.accept() > std::numeric_limits<std::uint16_t>::max()) return false;
    out = static_cast<std::uint16_t>(message.accept());
    return true;
}

}  // namespace

Checked<identity::DeviceName> check_device(std::string field, std::string_view name) {
    auto parsed = identity::parse_device_name(name);
    if (!parsed)
        return refuse(std::move(field), "must be tenants/{tenant}/devices/{endpoint}: " + parsed.error().message);
    return std::move(*parsed);
}

Checked<std::string> check_tenant_name(std::string field, std::string_view name) {
    auto parsed = identity::parse_tenant_name(name);
    if (!parsed) return refuse(std::move(field), "must be tenants/{tenant}: " + parsed.error().message);
    return std::move(*parsed);
}

Checked<ObservationName> check_observation_name(std::string_view name) {
    const auto at = name.rfind(kObservations);
    if (at == std::string_view::npos || at + kObservations.size() == name.size()) {
        return refuse("name", "must be tenants/{tenant}/devices/{endpoint}/observations/{id}");
    }
    auto device = check_device("name", name.substr(0, at));
    if (auto* refused = std::get_if<grpc::Status>(&device)) return *refused;
    return ObservationName{std::get<identity::DeviceName>(std::move(device)),
                           std::string(name.substr(at + kObservations.size()))};
}

Checked<TemplateName> check_template_name(std::string_view name) {
    const auto at = name.rfind(kTemplates);
    if (at == std::string_view::npos || !is_template_id(name.substr(at + kTemplates.size()))) {
        return refuse("name", "must be tenants/{tenant}/observationTemplates/{id}");
    }
    auto tenant = check_tenant_name("name", name.substr(0, at));
    if (auto* refused = std::get_if<grpc::Status>(&tenant)) return *refused;
    return TemplateName{std::get<std::string>(std::move(tenant)), std::string(name.substr(at + kTemplates.size()))};
}

Checked<OwnObservation> check_create(const v1::CreateObservationRequest& request) {
    const v1::Observation& in = request.observation();
    OwnObservation out;
    out.path = in.path();
    out.attributes.insert(in.attributes().begin(), in.attributes().end());
    if (!read_accept(in, out.accept)) return refuse("observation.accept", "must be 0..65535");
    if (auto bad = check_own(out)) return refuse("observation." + bad->field, bad->description);
    if (const auto path = lwm2m::Path::parse(out.path)) out.path = path->to_string();
    out.id = dotted(out.path);
    return out;
}

Checked<Template> check_create(const v1::CreateObservationTemplateRequest& request) {
    auto tenant = check_tenant_name("parent", request.parent());
    if (auto* refused = std::get_if<grpc::Status>(&tenant)) return *refused;
    if (!is_template_id(request.template_id())) return refuse("template_id", "must match [a-z][a-z0-9-]{0,62}");
    const v1::ObservationTemplate& in = request.template_();
    Template out;
    out.tenant = std::get<std::string>(std::move(tenant));
    out.id = request.template_id();
    out.filter = in.filter();
    if (in.object_id() >= lwm2m::kReservedId) return refuse("template.object_id", "must be 0..65534");
    out.object_id = static_cast<std::uint16_t>(in.object_id());
    out.paths.assign(in.paths().begin(), in.paths().end());
    out.attributes.insert(in.attributes().begin(), in.attributes().end());
    if (!read_accept(in, out.accept)) return refuse("template.accept", "must be 0..65535");
    if (auto bad = check_template(out)) return refuse("template." + bad->field, bad->description);
    return out;
}

Checked<std::vector<lwm2m::Path>> check_prefixes(const google::protobuf::RepeatedPtrField<std::string>& in) {
    if (in.size() > kMaxPrefixes) return refuse("path_prefixes", "at most 64");
    std::vector<lwm2m::Path> out;
    for (int i = 0; i < in.size(); ++i) {
        auto path = lwm2m::Path::parse(in[i]);
        if (!path) return refuse("path_prefixes[" + std::to_string(i) + "]", path.error().message);
        out.push_back(*path);
    }
    return out;
}

Checked<StreamRequest> check_stream(const v1::StreamValuesRequest& request, const SipKey& key) {
    StreamRequest out;
    out.parent = request.parent();
    if (auto device = identity::parse_device_name(request.parent())) {
        out.tenant = std::move(device->tenant);
        out.endpoint = std::move(device->endpoint);
    } else if (auto tenant = identity::parse_tenant_name(request.parent())) {
        out.tenant = std::move(*tenant);
    } else {
        return refuse("parent", "must be tenants/{tenant} or tenants/{tenant}/devices/{endpoint}");
    }
    auto prefixes = check_prefixes(request.path_prefixes());
    if (auto* refused = std::get_if<grpc::Status>(&prefixes)) return *refused;
    out.prefixes = std::get<std::vector<lwm2m::Path>>(std::move(prefixes));
    if (!request.resume_token().empty()) {
        auto position = open_position(key, out.parent, request.resume_token());
        if (!position) return refuse("resume_token", position.error().message);
        out.resume = std::move(*position);
    }
    return out;
}

void fill_template(const Template& entry, v1::ObservationTemplate& out) {
    out.set_name("tenants/" + entry.tenant + std::string(kTemplates) + entry.id);
    out.set_filter(entry.filter);
    out.set_object_id(entry.object_id);
    for (const std::string& path : entry.paths) out.add_paths(path);
    out.mutable_attributes()->insert(entry.attributes.begin(), entry.attributes.end());
    if (entry.accept) out.set_accept(*entry.accept);
}

}  // namespace lanyard::observation
