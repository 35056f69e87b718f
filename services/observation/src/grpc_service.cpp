#include "grpc_service.hpp"

#include <algorithm>
#include <utility>

#include "grpc_requests.hpp"
#include "lanyard/events/v1/telemetry.pb.h"
#include "latest_codec.hpp"
#include "list_page.hpp"
#include "lwm2m_proto/timestamp.hpp"
#include "rpc/status.hpp"
#include "telemetry_read.hpp"

namespace lanyard::observation {
namespace {

using Unary = grpc::ServerUnaryReactor;

Unary* refuse(grpc::CallbackServerContext* context, const grpc::Status& status) {
    Unary* reactor = context->DefaultReactor();
    reactor->Finish(status);
    return reactor;
}

grpc::Status named(const Error& error, std::string reason) {
    return rpc::to_status(error, {.reason = std::move(reason), .metadata = {}, .fields = {}, .retry_after = {}});
}

void fill_observation(const DeviceInfo& device, const Desired& desired, const ObservationState* state,
                      const LastNotify* notify, v1::Observation& out) {
    out.set_name(identity::DeviceName{device.tenant, device.endpoint}.resource_name() + "/observations/" + desired.id);
    out.set_path(desired.path);
    out.mutable_attributes()->insert(desired.attributes.begin(), desired.attributes.end());
    const bool holds = state != nullptr && device.registered && state->generation == device.generation;
    out.set_state(holds ? static_cast<v1::Observation::State>(state->state) : v1::Observation::STATE_PENDING);
    if (holds) out.set_state_reason(state->reason);
    if (notify != nullptr) {
        *out.mutable_last_notify_time() = lwm2m_proto::to_timestamp(notify->received_ms);
    }
    if (!desired.template_id.empty()) {
        out.set_template_("tenants/" + device.tenant + "/observationTemplates/" + desired.template_id);
    }
    if (desired.accept) out.set_accept(*desired.accept);
}

template <class Entry>
const Entry* of_spec(const std::vector<Entry>& entries, std::optional<SpecId> spec) {
    if (!spec) return nullptr;
    const auto at = std::find_if(entries.begin(), entries.end(), [&](const Entry& e) { return e.spec == *spec; });
    return at == entries.end() ? nullptr : &*at;
}

const v1::Observation* of_id(const std::vector<v1::Observation>& all, std::string_view id) {
    const auto at = std::find_if(all.begin(), all.end(), [&](const v1::Observation& o) {
        return std::string_view(o.name()).ends_with("/observations/" + std::string(id));
    });
    return at == all.end() ? nullptr : &*at;
}

Error no_observation() {
    return make_error(Errc::not_found, "the device has no such observation");
}

}  // namespace

void GrpcService::store_own(const DeviceInfo& device, OwnObservation own,
                            std::function<void(Result<OwnObservation>)> done) {
    const std::vector<std::string> paths{own.path};
    deps_.store.intern_spec(paths, [this, device, own, paths, done](Result<SpecId> spec) mutable {
        if (!spec) return done(spec.error());
        const Spec known{*spec, paths};
        deps_.specs.add(std::span(&known, 1));
        own.spec = *spec;
        deps_.store.add_own(device.number, own, [this, device, own, done](const Result<void>& added) {
            if (!added) return done(added.error());
            deps_.control.device_changed(device, {own.spec});
            done(own);
        });
    });
}

Unary* GrpcService::CreateObservation(Context* context, const v1::CreateObservationRequest* request,
                                      v1::Observation* response) {
    const auto device = check_device("parent", request->parent());
    if (const auto* refused = std::get_if<grpc::Status>(&device)) return refuse(context, *refused);
    const auto own = check_create(*request);
    if (const auto* refused = std::get_if<grpc::Status>(&own)) return refuse(context, *refused);
    Unary* reactor = context->DefaultReactor();
    const auto& name = std::get<identity::DeviceName>(device);
    deps_.directory.get(name.tenant, name.endpoint,
                        [this, reactor, response, own = std::get<OwnObservation>(own)](const Result<DeviceInfo>& info) {
                            if (!info) return reactor->Finish(named(info.error(), "DEVICE_LOOKUP"));
                            store_own(*info, own, [reactor, response, info](const Result<OwnObservation>& stored) {
                                if (!stored) return reactor->Finish(named(stored.error(), "OBSERVATION_NOT_CREATED"));
                                fill_observation(*info,
                                                 {stored->id, {}, stored->path, stored->attributes, stored->accept},
                                                 nullptr, nullptr, *response);
                                reactor->Finish(grpc::Status::OK);
                            });
                        });
    return reactor;
}

void GrpcService::observations(const std::string& tenant, const std::string& endpoint,
                               std::function<void(Result<Observations>)> done) {
    deps_.directory.get(tenant, endpoint, [this, done](const Result<DeviceInfo>& info) {
        if (!info) return done(info.error());
        deps_.store.load_device(info->number, [this, info, done](const Result<DeviceRecord>& record) {
            if (!record) return done(record.error());
            deps_.store.load_latest(info->number, [this, info, record, done](const Result<LatestRecord>& latest) {
                if (!latest) return done(latest.error());
                Observations out;
                for (const Desired& desired : desired_of(*info, record->own, *deps_.control.templates())) {
                    const auto spec = deps_.specs.find(std::vector<std::string>{desired.path});
                    fill_observation(*info, desired, of_spec(record->states, spec), of_spec(latest->notifies, spec),
                                     out.emplace_back());
                }
                done(std::move(out));
            });
        });
    });
}

Unary* GrpcService::ListObservations(Context* context, const v1::ListObservationsRequest* request,
                                     v1::ListObservationsResponse* response) {
    const auto device = check_device("parent", request->parent());
    if (const auto* refused = std::get_if<grpc::Status>(&device)) return refuse(context, *refused);
    constexpr auto kKind = identity::TokenKind::observation_page;
    const auto page = check_page(deps_.key, kKind, request->parent(), request->page_size(), request->page_token());
    if (const auto* refused = std::get_if<grpc::Status>(&page)) return refuse(context, *refused);
    Unary* reactor = context->DefaultReactor();
    const auto& name = std::get<identity::DeviceName>(device);
    observations(name.tenant, name.endpoint,
                 [this, reactor, request, response, page = std::get<Page>(page)](Result<Observations> all) {
                     if (!all) return reactor->Finish(rpc::to_status(all.error()));
                     const auto last = take_page(std::move(*all), page, *response->mutable_observations());
                     if (!last.empty()) {
                         response->set_next_page_token(page_token(deps_.key, kKind, request->parent(), last));
                     }
                     reactor->Finish(grpc::Status::OK);
                 });
    return reactor;
}

Unary* GrpcService::GetObservation(Context* context, const v1::GetObservationRequest* request,
                                   v1::Observation* response) {
    const auto name = check_observation_name(request->name());
    if (const auto* refused = std::get_if<grpc::Status>(&name)) return refuse(context, *refused);
    Unary* reactor = context->DefaultReactor();
    const auto& wanted = std::get<ObservationName>(name);
    observations(wanted.device.tenant, wanted.device.endpoint,
                 [reactor, response, id = wanted.id](const Result<Observations>& all) {
                     if (!all) return reactor->Finish(rpc::to_status(all.error()));
                     const v1::Observation* found = of_id(*all, id);
                     if (found == nullptr) return reactor->Finish(rpc::to_status(no_observation()));
                     *response = *found;
                     reactor->Finish(grpc::Status::OK);
                 });
    return reactor;
}

Unary* GrpcService::DeleteObservation(Context* context, const v1::DeleteObservationRequest* request,
                                      google::protobuf::Empty* /*response*/) {
    const auto name = check_observation_name(request->name());
    if (const auto* refused = std::get_if<grpc::Status>(&name)) return refuse(context, *refused);
    const auto& wanted = std::get<ObservationName>(name);
    if (wanted.id.front() >= 'a' && wanted.id.front() <= 'z') {
        return refuse(context, named(make_error(Errc::failed_precondition, "it belongs to a template: delete that"),
                                     "OBSERVATION_OF_TEMPLATE"));
    }
    Unary* reactor = context->DefaultReactor();
    deps_.directory.get(
        wanted.device.tenant, wanted.device.endpoint, [this, reactor, id = wanted.id](const Result<DeviceInfo>& info) {
            if (!info) return reactor->Finish(named(info.error(), "DEVICE_LOOKUP"));
            deps_.store.remove_own(info->number, id, [this, reactor, info](const Result<void>& removed) {
                if (!removed) return reactor->Finish(rpc::to_status(removed.error()));
                deps_.control.device_changed(*info, {});
                reactor->Finish(grpc::Status::OK);
            });
        });
    return reactor;
}

Unary* GrpcService::CreateObservationTemplate(Context* context, const v1::CreateObservationTemplateRequest* request,
                                              v1::ObservationTemplate* response) {
    const auto entry = check_create(*request);
    if (const auto* refused = std::get_if<grpc::Status>(&entry)) return refuse(context, *refused);
    Unary* reactor = context->DefaultReactor();
    const auto& wanted = std::get<Template>(entry);
    deps_.store.put_template(wanted, false, [this, reactor, response, wanted](const Result<void>& stored) {
        if (!stored) return reactor->Finish(rpc::to_status(stored.error()));
        deps_.control.templates_changed(wanted.tenant);
        fill_template(wanted, *response);
        reactor->Finish(grpc::Status::OK);
    });
    return reactor;
}

Unary* GrpcService::ListObservationTemplates(Context* context, const v1::ListObservationTemplatesRequest* request,
                                             v1::ListObservationTemplatesResponse* response) {
    const auto tenant = check_tenant_name("parent", request->parent());
    if (const auto* refused = std::get_if<grpc::Status>(&tenant)) return refuse(context, *refused);
    constexpr auto kKind = identity::TokenKind::template_page;
    const auto page = check_page(deps_.key, kKind, request->parent(), request->page_size(), request->page_token());
    if (const auto* refused = std::get_if<grpc::Status>(&page)) return refuse(context, *refused);
    Unary* reactor = context->DefaultReactor();
    deps_.store.load_templates([this, reactor, request, response, wanted = std::get<std::string>(tenant),
                                page = std::get<Page>(page)](const Result<TemplateSet>& set) {
        if (!set) return reactor->Finish(rpc::to_status(set.error()));
        std::vector<v1::ObservationTemplate> all;
        for (const Template& entry : set->templates) {
            if (entry.tenant == wanted) fill_template(entry, all.emplace_back());
        }
        const auto last = take_page(std::move(all), page, *response->mutable_templates());
        if (!last.empty()) response->set_next_page_token(page_token(deps_.key, kKind, request->parent(), last));
        reactor->Finish(grpc::Status::OK);
    });
    return reactor;
}

Unary* GrpcService::GetObservationTemplate(Context* context, const v1::GetObservationTemplateRequest* request,
                                           v1::ObservationTemplate* response) {
    const auto name = check_template_name(request->name());
    if (const auto* refused = std::get_if<grpc::Status>(&name)) return refuse(context, *refused);
    Unary* reactor = context->DefaultReactor();
    deps_.store.load_templates(
        [reactor, response, wanted = std::get<TemplateName>(name)](const Result<TemplateSet>& set) {
            if (!set) return reactor->Finish(rpc::to_status(set.error()));
            for (const Template& entry : set->templates) {
                if (entry.tenant != wanted.tenant || entry.id != wanted.id) continue;
                fill_template(entry, *response);
                return reactor->Finish(grpc::Status::OK);
            }
            reactor->Finish(rpc::to_status(make_error(Errc::not_found, "there is no such template")));
        });
    return reactor;
}

Unary* GrpcService::DeleteObservationTemplate(Context* context, const v1::DeleteObservationTemplateRequest* request,
                                              google::protobuf::Empty* /*response*/) {
    const auto name = check_template_name(request->name());
    if (const auto* refused = std::get_if<grpc::Status>(&name)) return refuse(context, *refused);
    Unary* reactor = context->DefaultReactor();
    const auto& wanted = std::get<TemplateName>(name);
    deps_.store.delete_template(wanted.tenant, wanted.id, [this, reactor, wanted](const Result<void>& removed) {
        if (!removed) return reactor->Finish(rpc::to_status(removed.error()));
        deps_.control.templates_changed(wanted.tenant);
        reactor->Finish(grpc::Status::OK);
    });
    return reactor;
}

Unary* GrpcService::GetLatestValues(Context* context, const v1::GetLatestValuesRequest* request,
                                    v1::GetLatestValuesResponse* response) {
    const auto device = check_device("device", request->device());
    if (const auto* refused = std::get_if<grpc::Status>(&device)) return refuse(context, *refused);
    auto prefixes = check_prefixes(request->path_prefixes());
    if (const auto* refused = std::get_if<grpc::Status>(&prefixes)) return refuse(context, *refused);
    Unary* reactor = context->DefaultReactor();
    const auto fill = [reactor, response, wanted = std::get<std::vector<lwm2m::Path>>(std::move(prefixes))](
                          const Result<LatestRecord>& latest) {
        if (!latest) return reactor->Finish(rpc::to_status(latest.error()));
        std::vector<std::pair<lwm2m::Path, const LatestValue*>> found;
        for (const LatestValue& value : latest->values) {
            const auto path = lwm2m::Path::parse(value.path);
            const auto matches = [&](const lwm2m::Path& prefix) { return prefix.contains(*path); };
            if (path && (wanted.empty() || std::any_of(wanted.begin(), wanted.end(), matches))) {
                found.emplace_back(*path, &value);
            }
        }
        if (found.empty()) {
            return reactor->Finish(rpc::to_status(make_error(Errc::not_found, "nothing was reported yet")));
        }
        std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
        events::v1::TelemetryRecord record;
        for (const auto& [path, value] : found) {
            if (read_latest(*value, record)) fill_latest(record, *response->add_values());
        }
        reactor->Finish(grpc::Status::OK);
    };
    const auto& name = std::get<identity::DeviceName>(device);
    deps_.directory.get(name.tenant, name.endpoint, [this, reactor, fill](const Result<DeviceInfo>& info) {
        if (!info) return reactor->Finish(named(info.error(), "DEVICE_LOOKUP"));
        deps_.store.load_latest(info->number, fill);
    });
    return reactor;
}

grpc::ServerWriteReactor<v1::StreamValuesResponse>* GrpcService::StreamValues(Context* context,
                                                                              const v1::StreamValuesRequest* request) {
    auto writer = std::make_shared<StreamWriter>(context, deps_.stream_config.queue_max);
    auto* reactor = writer->reactor();
    auto checked = check_stream(*request, deps_.key);
    if (const auto* refused = std::get_if<grpc::Status>(&checked)) {
        writer->finish(*refused);
    } else {
        deps_.streams.serve(std::get<StreamRequest>(std::move(checked)), writer);
    }
    return reactor;
}

}  // namespace lanyard::observation
