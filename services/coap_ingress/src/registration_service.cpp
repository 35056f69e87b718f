#include "registration_service.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "lwm2m/object_links.hpp"
#include "lwm2m_coap/error_map.hpp"

namespace lanyard::coap_ingress {
namespace {

using Query = RegistrationService::Query;

lwm2m::RegisterPolicy policy_of(const Config& config) {
    if (!config.strict_registration) return {};
    return {.allow_missing_lifetime = false,
            .allow_missing_version = false,
            .allow_unknown_parameters = false,
            .allow_unknown_minor = false,
            .allow_missing_endpoint = true};
}

// This shard's part of what the process may ask of the registry, at most half of what the shard may.
AdmissionConfig admission_of(const Config& config) {
    const std::size_t share = config.registry.registers_max / std::max(1U, config.shards);
    return {.window_max = std::min(share, config.registry.pending_max / 2),
            .answer_time = config.registry.register_answer_time,
            .retry_min = config.registry.retry_min,
            .retry_max = config.registry.retry_max};
}

// The value of `b` as the device spelt it; null when it sent none.
const std::string_view* raw_binding(Query query) {
    for (const std::string_view& argument : query) {
        if (argument.starts_with("b=")) return &argument;
    }
    return nullptr;
}

// The name that a Register claims, as sent; empty when there is none.
std::string_view claimed_name(Query query) {
    for (const std::string_view argument : query) {
        if (argument.starts_with("ep=")) return argument.substr(3);
    }
    return {};
}

}  // namespace

RegistrationService::RegistrationService(ShardContext& context, RegistryCommands& commands, Lifetimes& lifetimes,
                                         Adoption& adoption)
    : context_(context),
      commands_(commands),
      lifetimes_(lifetimes),
      adoption_(adoption),
      admission_(admission_of(context.config), context.now.steady),
      policy_(policy_of(context.config)) {
    context_.metrics.register_window.store(admission_.window(), std::memory_order_relaxed);
}

// RFC 6690 payloads have one media type, so the only question is whether the links make sense.
lwm2m::RegisterResult<std::uint16_t> RegistrationService::read_links(ByteView payload, lwm2m::Version version) {
    if (const auto known = links_.find(payload, version)) return *known;
    const auto list = lwm2m::parse_object_list(as_text(payload), version);
    if (!list) {
        const bool too_large = list.error().code == Errc::too_large;
        return lwm2m::RegisterError{too_large ? lwm2m::RegisterFailure::too_large : lwm2m::RegisterFailure::bad_request,
                                    list.error().message};
    }
    if (list->objects.size() > ObjectLists::kIdsMax) return ObjectLists::kNotKept;
    std::array<std::uint32_t, ObjectLists::kIdsMax> ids{};
    std::transform(list->objects.begin(), list->objects.end(), ids.begin(),
                   [](const auto& object) { return object.id; });
    const std::uint16_t objects = context_.table.keep_objects({ids.data(), list->objects.size()});
    links_.keep(payload, version, objects);
    return objects;
}

void RegistrationService::refuse(coap::RequestHandle handle, const lwm2m::RegisterError& error, std::string_view who) {
    if (error.failure == lwm2m::RegisterFailure::too_large) {
        return context_.refuse_too_large(handle, error.message, 0, who);
    }
    context_.refuse(handle, lwm2m_coap::to_code(error.failure), error.message, who);
}

void RegistrationService::defer(coap::RequestHandle handle) {
    context_.metrics.registers_deferred.add();
    context_.refuse_until(handle, admission_.retry_after(context_.now.steady, context_.random()),
                          "too many devices are registering");
}

// Comes again soon: the pledge outlasts the lifetime by a minute (ADR 0003), in which three such answers fit.
void RegistrationService::refuse_update(coap::RequestHandle handle, std::string_view message) {
    context_.refuse_until(handle, 5 + static_cast<std::uint32_t>(context_.random() % 16), message);
}

void RegistrationService::settle_admission(SteadyTime sent_at, const Result& result) {
    admission_.answered(sent_at, context_.now.steady, result.status() != Result::STATUS_UNAVAILABLE);
    context_.metrics.register_window.store(admission_.window(), std::memory_order_relaxed);
    context_.metrics.registers_pending.store(admission_.pending(), std::memory_order_relaxed);
}

bool RegistrationService::read_register(coap::RequestHandle handle, Query query, ByteView payload,
                                        lwm2m::RegisterParameters& parameters, std::uint16_t& objects) {
    using Failure = lwm2m::RegisterFailure;
    const std::string_view who = claimed_name(query);
    auto parsed = lwm2m::parse_register(query, policy_);
    if (!parsed) return refuse(handle, parsed.error(), who), false;
    parameters = std::move(*parsed);
    const std::string_view proven = context_.identity.name;
    if (parameters.endpoint.empty()) parameters.endpoint = std::string(proven);
    if (parameters.endpoint.empty()) return refuse(handle, {Failure::bad_request, "ep: missing"}, who), false;
    // Conformance R-16: the name belongs to the credentials.
    if (!proven.empty() && parameters.endpoint != proven) {
        return refuse(handle, {Failure::bad_request, "ep: is not the name of the identity"}, who), false;
    }
    if (payload.empty()) {
        const bool may_lack_list = parameters.version >= lwm2m::Version{1, 2};
        if (may_lack_list) return refuse(handle, {Failure::objects_unknown, "object list: not known"}, who), false;
        return refuse(handle, {Failure::bad_request, "object list: missing"}, who), false;
    }
    const auto links = read_links(payload, parameters.version);
    if (!links) return refuse(handle, links.error(), who), false;
    objects = *links;
    return true;
}

void RegistrationService::on_register(const coap::PeerId& peer, coap::RequestHandle handle, Query query,
                                      ByteView payload) {
    if (context_.draining) return context_.refuse_unavailable(handle, "this server is going away");
    if (admission_.full()) return defer(handle);
    lwm2m::RegisterParameters parameters;
    std::uint16_t objects = 0;
    if (!read_register(handle, query, payload, parameters, objects)) return;

    internal::v1::RegistrationCommand command;
    auto& out = *command.mutable_register_();
    out.set_tenant(std::string(context_.tenant_of(peer)));
    out.set_endpoint(parameters.endpoint);
    out.set_remote_address(peer_text(peer));
    out.set_security_mode(std::string(context_.identity.security_mode));
    out.set_shard(context_.setup.shard);
    out.set_received_ms(context_.now.wall_ms);
    auto& stored = *out.mutable_parameters();
    stored.set_lifetime_s(parameters.lifetime_s);
    stored.set_lwm2m_version(parameters.version.to_string());
    stored.set_queue_mode(parameters.queue_mode);
    if (const auto* binding = raw_binding(query)) stored.set_binding(std::string(binding->substr(2)));
    if (!parameters.sms.empty()) stored.set_sms_number(parameters.sms);
    stored.set_object_links(to_string(payload));

    const Registering registering{peer, handle, parameters.transports.bits, objects, parameters.endpoint};
    const auto done = [this, registering, sent_at = context_.now.steady](const Result& result) {
        settle_admission(sent_at, result);
        on_registered(registering, result);
    };
    if (!commands_.send(std::move(command), done)) {
        return context_.refuse_unavailable(handle, "the registry cannot be reached", parameters.endpoint);
    }
    admission_.sent();
    context_.metrics.registers_admitted.add();
}

void RegistrationService::on_registered(const Registering& registering, const Result& result) {
    const auto& [peer, handle, transports, objects, who] = registering;
    switch (result.status()) {
        case Result::STATUS_OK:
            break;
        case Result::STATUS_FORBIDDEN:
            return context_.refuse(handle, coap::Code::forbidden, result.message(), who);
        case Result::STATUS_INVALID:
            return context_.refuse(handle, coap::Code::bad_request, result.message(), who);
        case Result::STATUS_TOO_LARGE:
            return context_.refuse_too_large(handle, result.message(), result.size_max(), who);
        default:
            return context_.refuse_unavailable(handle, result.message(), who);
    }
    Device* device = adoption_.own(result.registration(), peer, objects);
    if (device == nullptr) return context_.refuse_unavailable(handle, "too many tenants or root paths", who);
    device->transports = transports;
    const identity::RegistrationId id{{device->number}, device->generation};
    coap::Response response;
    response.code = coap::Code::created;
    response.options.add(coap::OptionNumber::location_path, "rd");
    response.options.add(coap::OptionNumber::location_path, identity::format_registration_id(context_.setup.key, id));
    context_.respond(handle, response);
}

void RegistrationService::on_update(const coap::PeerId& peer, coap::RequestHandle handle, std::string_view location,
                                    Query query, ByteView payload) {
    const auto id = identity::parse_registration_id(context_.setup.key, location);
    if (!id) return context_.refuse(handle, coap::Code::not_found, "no such registration");
    Device* device = context_.table.find(id->device.value);
    if (device != nullptr && device->generation == id->generation) return update(*device, peer, handle, query, payload);
    if (device != nullptr && device->generation > id->generation) {
        return context_.refuse(handle, coap::Code::not_found, "registered anew since");
    }
    adopt_for_update(peer, handle, *id, query, payload);
}

struct RegistrationService::Parked {
    std::vector<std::string> query;
    Bytes payload;
};

void RegistrationService::adopt_for_update(const coap::PeerId& peer, coap::RequestHandle handle,
                                           identity::RegistrationId id, Query query, ByteView payload) {
    const Parked parked{{query.begin(), query.end()}, {payload.begin(), payload.end()}};
    const auto go_on = [this, peer, handle, id, parked](AdoptOutcome outcome, Device* device) {
        if (outcome == AdoptOutcome::unavailable) return refuse_update(handle, "registry unavailable");
        if (device == nullptr || device->generation != id.generation) {
            return context_.refuse(handle, coap::Code::not_found, "no such registration");
        }
        const std::vector<std::string_view> views(parked.query.begin(), parked.query.end());
        update(*device, peer, handle, views, parked.payload);
    };
    if (!adoption_.adopt(id.device.value, id.generation, peer, go_on)) {
        refuse_update(handle, "the registry cannot be reached");
    }
}

// The tenant belongs to the listener; the address to the identity only under `strict`.
bool RegistrationService::may_speak(const Device& device, const coap::PeerId& peer, coap::RequestHandle handle) {
    if (context_.table.tenant(device) != context_.tenant_of(peer)) {
        context_.refuse(handle, coap::Code::not_found, "no such registration");
        return false;
    }
    if (context_.config.nosec_rebind == Rebind::strict && !(device.peer == peer) &&
        device.peer.listener != kNoListener) {
        context_.refuse(handle, coap::Code::not_found, "registered from another address");
        return false;
    }
    return true;
}

bool RegistrationService::read_update(const Device& device, coap::RequestHandle handle, Query query, ByteView payload,
                                      Change& change, bool& news) {
    const auto parsed = lwm2m::parse_update(query, policy_);
    if (!parsed) return refuse(handle, parsed.error(), context_.table.endpoint(device)), false;
    if (!payload.empty()) {
        const auto links = read_links(payload, device.version);
        if (!links) return refuse(handle, links.error(), context_.table.endpoint(device)), false;
        change.objects = *links;
        change.parameters.set_object_links(to_string(payload));
    }
    change.transports = parsed->transports ? parsed->transports->bits : device.transports;
    const bool queue_mode = parsed->queue_mode.value_or(device.queue_mode);
    const bool other_lifetime = parsed->lifetime_s && *parsed->lifetime_s != device.lifetime_s;
    news = !payload.empty() || other_lifetime || change.transports != device.transports ||
           queue_mode != device.queue_mode || parsed->sms || !parsed->profile_ids.empty();
    if (parsed->queue_mode) change.parameters.set_queue_mode(queue_mode);
    if (parsed->lifetime_s) change.parameters.set_lifetime_s(*parsed->lifetime_s);
    if (const auto* binding = raw_binding(query)) change.parameters.set_binding(std::string(binding->substr(2)));
    if (parsed->sms) change.parameters.set_sms_number(*parsed->sms);
    return true;
}

void RegistrationService::update(Device& device, const coap::PeerId& peer, coap::RequestHandle handle, Query query,
                                 ByteView payload) {
    if (!may_speak(device, peer, handle)) return;
    if (query.empty() && payload.empty() && lifetimes_.pledged(device)) return keep_alive(device, peer, handle);
    Change change{device.number, device.generation, peer, handle, {}, device.transports, device.objects, false};
    bool news = false;
    if (!read_update(device, handle, query, payload, change, news)) return;
    if (!news && lifetimes_.pledged(device)) return keep_alive(device, peer, handle);
    send_update(device, std::move(change));
}

// The steady state: no round trip, no allocation.
void RegistrationService::keep_alive(Device& device, const coap::PeerId& peer, coap::RequestHandle handle) {
    device.renewed = device.heard = context_.seconds();
    lifetimes_.touch(device);
    context_.metrics.updates_from_memory.add();
    context_.respond(handle, coap::Code::changed);
    if (device.peer == peer) return;
    context_.endpoint->rebind_peer(device.peer, peer, context_.now);
    context_.table.rebind(device, peer);
    context_.metrics.rebinds.add();
    send_moved(device);
}

// The address in the registry is for people only, so nobody waits for it.
void RegistrationService::send_moved(const Device& device) {
    internal::v1::RegistrationCommand command;
    auto& out = *command.mutable_update();
    out.set_device_number(device.number);
    out.set_generation(device.generation);
    out.set_epoch(device.epoch);
    out.set_remote_address(peer_text(device.peer));
    out.set_received_ms(context_.now.wall_ms);
    static_cast<void>(commands_.send(std::move(command), [](const Result&) {}));
}

void RegistrationService::send_update(const Device& device, Change change) {
    internal::v1::RegistrationCommand command;
    auto& out = *command.mutable_update();
    out.set_device_number(device.number);
    out.set_generation(device.generation);
    out.set_epoch(device.epoch);
    *out.mutable_parameters() = change.parameters;
    if (change.parameters.has_object_links()) out.set_tenant(std::string(context_.table.tenant(device)));
    out.set_remote_address(peer_text(change.peer));
    out.set_received_ms(context_.now.wall_ms);
    const coap::RequestHandle handle = change.handle;
    const bool sent = commands_.send(
        std::move(command), [this, change = std::move(change)](const Result& result) { on_updated(change, result); });
    if (!sent) refuse_update(handle, "the registry cannot be reached");
}

void RegistrationService::on_updated(const Change& change, const Result& result) {
    Device* device = context_.table.find(change.device_number);
    if (result.status() == Result::STATUS_OK) {
        device = adoption_.own(result.registration(), change.peer, change.objects);
        if (device == nullptr) return context_.refuse_unavailable(change.handle, "too many tenants or root paths");
        device->transports = change.transports;
        context_.metrics.updates_to_registry.add();
        return context_.respond(change.handle, coap::Code::changed);
    }
    if (result.status() == Result::STATUS_UNKNOWN) {
        if (device != nullptr) {
            lifetimes_.forget(*device);
            context_.table.erase(*device);
        }
        return context_.refuse(change.handle, coap::Code::not_found, "no such registration");
    }
    if (result.status() == Result::STATUS_INVALID) {
        return context_.refuse(change.handle, coap::Code::bad_request, result.message());
    }
    if (result.status() == Result::STATUS_TOO_LARGE) {
        return context_.refuse_too_large(change.handle, result.message(), result.size_max());
    }
    if (result.status() != Result::STATUS_STALE || change.retried) {
        return refuse_update(change.handle, result.message());
    }
    // Another owner took it meanwhile, but the device speaks here: take it back, then try once more.
    Change again = change;
    again.retried = true;
    const auto go_on = [this, again](AdoptOutcome outcome, Device* adopted) {
        if (outcome == AdoptOutcome::unavailable) return refuse_update(again.handle, "registry busy");
        if (adopted == nullptr) return context_.refuse(again.handle, coap::Code::not_found, "no such registration");
        send_update(*adopted, again);
    };
    if (!adoption_.adopt(change.device_number, change.generation, change.peer, go_on)) {
        refuse_update(change.handle, "the registry cannot be reached");
    }
}

void RegistrationService::on_deregister(const coap::PeerId& peer, coap::RequestHandle handle,
                                        std::string_view location) {
    const auto id = identity::parse_registration_id(context_.setup.key, location);
    if (!id) return context_.refuse(handle, coap::Code::not_found, "no such registration");
    if (const Device* device = context_.table.find(id->device.value)) {
        if (device->generation == id->generation && !may_speak(*device, peer, handle)) return;
    }
    internal::v1::RegistrationCommand command;
    auto& out = *command.mutable_deregister();
    out.set_device_number(id->device.value);
    out.set_generation(id->generation);
    out.set_received_ms(context_.now.wall_ms);
    // The registry judges what may_speak() cannot, when the device is held elsewhere.
    out.set_tenant(std::string(context_.tenant_of(peer)));
    if (context_.config.nosec_rebind == Rebind::strict) out.set_required_address(peer_text(peer));
    const bool sent = commands_.send(std::move(command), [this, handle, id = *id](const Result& result) {
        const bool gone = result.status() == Result::STATUS_OK || result.status() == Result::STATUS_UNKNOWN;
        if (!gone) return context_.refuse_unavailable(handle, result.message());
        Device* device = context_.table.find(id.device.value);
        if (device != nullptr && device->generation == id.generation) {
            lifetimes_.forget(*device);
            context_.table.erase(*device);
        }
        if (result.status() == Result::STATUS_OK) return context_.respond(handle, coap::Code::deleted);
        context_.refuse(handle, coap::Code::not_found, "no such registration");
    });
    if (!sent) context_.refuse_unavailable(handle, "the registry cannot be reached");
}

}  // namespace lanyard::coap_ingress
