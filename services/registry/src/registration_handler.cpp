#include "registration_handler.hpp"

#include "identity/resource_name.hpp"
#include "lwm2m/object_links.hpp"
#include "runtime/clock.hpp"

namespace lanyard::registry {
namespace {

using internal::v1::RegistrationResult;

// Which answer an error becomes; the ingress maps it on to CoAP.
RegistrationResult::Status status_of(Errc code) {
    switch (code) {
        case Errc::not_found:
            return RegistrationResult::STATUS_UNKNOWN;
        case Errc::permission_denied:
            return RegistrationResult::STATUS_FORBIDDEN;
        case Errc::failed_precondition:
            return RegistrationResult::STATUS_STALE;
        case Errc::invalid_argument:
            return RegistrationResult::STATUS_INVALID;
        case Errc::too_large:
            return RegistrationResult::STATUS_TOO_LARGE;
        default:
            return RegistrationResult::STATUS_UNAVAILABLE;
    }
}

std::string_view label_of(RegistrationResult::Status status) {
    switch (status) {
        case RegistrationResult::STATUS_OK:
            return "ok";
        case RegistrationResult::STATUS_UNKNOWN:
            return "unknown";
        case RegistrationResult::STATUS_FORBIDDEN:
            return "forbidden";
        case RegistrationResult::STATUS_STALE:
            return "stale";
        case RegistrationResult::STATUS_INVALID:
            return "invalid";
        case RegistrationResult::STATUS_TOO_LARGE:
            return "too_large";
        default:
            return "unavailable";
    }
}

// Only a link with this resource type names a root, which nearly always is "/": so most lists need not be read.
bool may_have_root_path(std::string_view links) {
    constexpr std::string_view kType = "oma.lwm2m";
    const std::size_t at = links.find(kType);
    if (at == std::string_view::npos) return false;
    const std::size_t link = links.rfind('<', at);
    const bool is_plain = link != std::string_view::npos && links.substr(link).starts_with("</>");
    return !is_plain || links.find(kType, at + kType.size()) != std::string_view::npos;
}

std::string root_path_of(const RegistrationInfo& registration) {
    if (!may_have_root_path(registration.object_links)) return {};
    const auto version = lwm2m::Version::parse(registration.lwm2m_version).value_or(lwm2m::Version{});
    const auto objects = lwm2m::parse_object_list(registration.object_links, version);
    if (!objects || objects->root_path.empty()) return {};
    return objects->root_path.substr(1);
}

void fill(const DeviceRecord& device, internal::v1::OwnedRegistration& out) {
    out.set_device_number(device.number.value);
    out.set_generation(device.generation);
    out.set_epoch(device.epoch);
    out.set_pledge_s(device.pledge_s);
    out.set_lifetime_s(device.lifetime_s);
    out.set_queue_mode(device.queue_mode);
    out.set_tenant(device.tenant);
    out.set_endpoint(device.endpoint);
    out.set_root_path(root_path_of(device.registration));
    out.set_lwm2m_version(device.registration.lwm2m_version);
}

// After an Adopt; of a Register and an Update the owner has read the list itself.
void fill_objects(const RegistrationInfo& registration, internal::v1::OwnedRegistration& out) {
    const auto version = lwm2m::Version::parse(registration.lwm2m_version).value_or(lwm2m::Version{});
    const auto list = lwm2m::parse_object_list(registration.object_links, version);
    if (!list) return;
    for (const auto& object : list->objects) out.add_objects(object.id);
}

// What is known before the store has answered.
void fill(const RegisterCommand& command, internal::v1::OwnedRegistration& out) {
    out.set_lifetime_s(command.lifetime_s);
    out.set_queue_mode(command.queue_mode);
    out.set_tenant(command.name.tenant);
    out.set_endpoint(command.name.endpoint);
    out.set_root_path(root_path_of(command.registration));
    out.set_lwm2m_version(command.registration.lwm2m_version);
}

}  // namespace

RegistrationHandler::RegistrationHandler(DeviceStore& store, const Config& config, const SipKey& key, Events events)
    : store_(store),
      config_(config),
      key_(key),
      events_(std::move(events)),
      alive_(std::make_shared<RegistrationHandler*>(this)) {
    for (const TenantPolicy& tenant : config_.tenants) tenants_[tenant.id] = &tenant;
}

RegistrationHandler::~RegistrationHandler() {
    *alive_ = nullptr;
}

void RegistrationHandler::handle(std::uint32_t node, const Command& command, Reply reply) {
    Call call{command.id(), {}, std::move(reply)};
    ++pending_;
    if (pending_ > config_.commands_max) {
        const Error error = make_error(Errc::resource_exhausted, "too many registration commands are waiting");
        call.operation = "any";
        return answer(call, error);
    }
    switch (command.command_case()) {
        case Command::kRegister:
            call.operation = "register";
            return on_register(node, command.register_(), std::move(call));
        case Command::kUpdate:
            call.operation = "update";
            return on_update(command.update(), std::move(call));
        case Command::kDeregister:
            call.operation = "deregister";
            return on_deregister(command.deregister(), std::move(call));
        case Command::kAdopt:
            call.operation = "adopt";
            return on_adopt(node, command.adopt(), std::move(call));
        case Command::kTouch:
            call.operation = "touch";
            return on_touch(command.touch(), std::move(call));
        case Command::kExpire:
            call.operation = "expire";
            return on_expire(command.expire(), std::move(call));
        case Command::kResolve:
            call.operation = "resolve";
            return on_resolve(command.resolve(), std::move(call));
        case Command::COMMAND_NOT_SET:
            break;
    }
    call.operation = "unknown";
    const Error error = make_error(Errc::invalid_argument, "the command is not set");
    answer(call, error);
}

Result<void> RegistrationHandler::check_register(const internal::v1::Register& in) const {
    if (auto tenant = identity::check_tenant(in.tenant()); !tenant) return tenant.error();
    if (auto endpoint = identity::check_endpoint(in.endpoint()); !endpoint) return endpoint.error();
    const auto policy = tenants_.find(in.tenant());
    if (policy == tenants_.end()) return make_error(Errc::permission_denied, "the tenant is not known");
    if (in.shard() > 0xffff) return make_error(Errc::invalid_argument, "shard: above 65535");
    return {};
}

std::uint32_t RegistrationHandler::links_max(const std::string& tenant) const {
    const auto policy = tenants_.find(tenant);
    return policy == tenants_.end() ? TenantPolicy().object_links_max_bytes : policy->second->object_links_max_bytes;
}

bool RegistrationHandler::links_fit(const std::string& tenant,
                                    const internal::v1::RegistrationParameters& parameters) const {
    return parameters.object_links().size() <= links_max(tenant);
}

void RegistrationHandler::refuse_links(Call& call, const std::string& tenant) {
    RegistrationResult result;
    result.set_status(RegistrationResult::STATUS_TOO_LARGE);
    result.set_message("the link list is longer than this server takes");
    result.set_size_max(links_max(tenant));
    answer(call, std::move(result));
}

void RegistrationHandler::on_register(std::uint32_t node, const internal::v1::Register& in, Call call) {
    if (auto checked = check_register(in); !checked) return answer(call, checked.error());
    if (!links_fit(in.tenant(), in.parameters())) return refuse_links(call, in.tenant());
    const internal::v1::RegistrationParameters& parameters = in.parameters();
    RegisterCommand command;
    command.name = {in.tenant(), in.endpoint()};
    command.lifetime_s = parameters.lifetime_s();
    command.queue_mode = parameters.queue_mode();
    command.registration.lwm2m_version = parameters.lwm2m_version().empty() ? "1.1" : parameters.lwm2m_version();
    command.registration.binding = parameters.binding();
    command.registration.sms_number = parameters.sms_number();
    command.registration.object_links = parameters.object_links();
    command.registration.remote_address = in.remote_address();
    command.registration.security_mode = in.security_mode().empty() ? "NONE" : in.security_mode();
    command.node = node;
    command.shard = static_cast<std::uint16_t>(in.shard());
    command.auto_create = tenants_.find(in.tenant())->second->auto_create;
    command.now_ms = in.received_ms();
    RegistrationResult result;
    fill(command, *result.mutable_registration());
    Owner owner{node, command.shard};
    store_.register_device(std::move(command), [this, alive = alive_, call = std::move(call), owner,
                                                result = std::move(result)](Result<Registered> registered) mutable {
        if (!*alive) return;
        if (!registered) return answer(call, registered.error());
        internal::v1::OwnedRegistration& out = *result.mutable_registration();
        out.set_device_number(registered->device.value);
        out.set_generation(registered->generation);
        out.set_epoch(registered->epoch);
        out.set_pledge_s(registered->pledge_s);
        events_.changed(registered->device.partition());
        if (registered->was_registered) {
            fence({registered->former_node, registered->former_shard}, owner, registered->device, registered->epoch);
        }
        answer(call, std::move(result));
    });
}

void RegistrationHandler::fence(Owner former, Owner now, identity::DeviceNumber device, std::uint32_t epoch) {
    if (former == now || former.node == 0) return;
    internal::v1::Fenced fenced;
    fenced.set_device_number(device.value);
    fenced.set_epoch(epoch);
    events_.fenced(former.node, fenced);
}

void RegistrationHandler::on_update(const internal::v1::Update& in, Call call) {
    const internal::v1::RegistrationParameters& parameters = in.parameters();
    if (!links_fit(in.tenant(), parameters)) return refuse_links(call, in.tenant());
    UpdateCommand command;
    command.device = {in.device_number()};
    command.generation = in.generation();
    command.epoch = in.epoch();
    if (parameters.has_lifetime_s()) command.lifetime_s = parameters.lifetime_s();
    if (parameters.has_binding()) command.binding = parameters.binding();
    if (parameters.has_queue_mode()) command.queue_mode = parameters.queue_mode();
    if (parameters.has_sms_number()) command.sms_number = parameters.sms_number();
    if (parameters.has_object_links()) command.object_links = parameters.object_links();
    if (!in.remote_address().empty()) command.remote_address = in.remote_address();
    command.now_ms = in.received_ms();
    const bool emits = command.changes_anything();
    store_.update(std::move(command), changed(std::move(call), {emits, false}));
}

void RegistrationHandler::on_deregister(const internal::v1::Deregister& in, Call call) {
    store_.deregister({{in.device_number()}, in.generation(), in.received_ms(), in.tenant(), in.required_address()},
                      changed(std::move(call), kEnds));
}

void RegistrationHandler::on_adopt(std::uint32_t node, const internal::v1::Adopt& in, Call call) {
    AdoptCommand command;
    command.device = {in.device_number()};
    command.generation = in.generation();
    command.remote_address = in.remote_address();
    command.node = node;
    command.shard = static_cast<std::uint16_t>(in.shard());
    command.now_ms = in.received_ms();
    command.tenant = in.tenant();
    command.same_address = in.same_address();
    if (in.generation() != 0) return store_.adopt(std::move(command), changed(std::move(call), kAdopts));
    const auto token = identity::parse_observation_token(as_bytes(in.token()));
    if (!token || token->device != command.device) {
        return answer(call, make_error(Errc::not_found, "the token belongs to no registration of the device"));
    }
    adopt_by_token(std::move(command), *token, std::move(call));
}

// The token is checked before anything changes: a forged one must not take a device away from its owner.
void RegistrationHandler::adopt_by_token(AdoptCommand command, const identity::ObservationToken& token, Call call) {
    const identity::DeviceNumber device = command.device;
    store_.get(device, [this, alive = alive_, command = std::move(command), token,
                        call = std::move(call)](Result<DeviceRecord> found) mutable {
        if (!*alive) return;
        if (!found) return answer(call, found.error());
        if (!found->registered || !identity::verify_observation_token(key_, token, found->generation)) {
            return answer(call, make_error(Errc::not_found, "the token belongs to no registration of the device"));
        }
        command.generation = found->generation;  // so that a Register in between is not adopted
        store_.adopt(std::move(command), changed(std::move(call), kAdopts));
    });
}

void RegistrationHandler::on_resolve(const internal::v1::Resolve& in, Call call) {
    if (in.spec() == 0 || in.spec() > 0xffff) {
        return answer(call, make_error(Errc::invalid_argument, "spec: must be 1 to 65535"));
    }
    store_.observed(static_cast<std::uint16_t>(in.spec()),
                    [this, alive = alive_, call = std::move(call)](Result<std::string> request) mutable {
                        if (!*alive) return;
                        if (!request) return answer(call, request.error());
                        RegistrationResult result;
                        if (!result.mutable_observed()->ParseFromString(*request)) {
                            return answer(call, make_error(Errc::internal, "the stored observation cannot be read"));
                        }
                        answer(call, std::move(result));
                    });
}

Done<Change> RegistrationHandler::changed(Call call, Effects effects) {
    return [this, alive = alive_, call = std::move(call), effects](Result<Change> change) mutable {
        if (!*alive) return;
        if (!change) return answer(call, change.error());
        const DeviceRecord& device = change->device;
        RegistrationResult result;
        fill(device, *result.mutable_registration());
        if (effects.emits) events_.changed(device.number.partition());
        if (effects.owner_may_change) fill_objects(device.registration, *result.mutable_registration());
        if (effects.owner_may_change && change->was_registered) {
            fence({change->former_node, change->former_shard}, {device.node, device.shard}, device.number,
                  device.epoch);
        }
        answer(call, std::move(result));
    };
}

void RegistrationHandler::on_touch(const internal::v1::Touch& in, Call call) {
    if (in.device_number_size() != in.pledge_s_size() || in.device_number_size() != in.last_seen_s_size()) {
        const Error error = make_error(Errc::invalid_argument, "touch: arrays of different lengths");
        return answer(call, error);
    }
    std::vector<TouchEntry> entries;
    entries.reserve(static_cast<std::size_t>(in.device_number_size()));
    for (int i = 0; i < in.device_number_size(); ++i) {
        entries.push_back({{in.device_number(i)}, in.pledge_s(i), in.last_seen_s(i)});
    }
    store_.touch(std::move(entries), [this, alive = alive_, call = std::move(call)](Result<void> result) mutable {
        if (!*alive) return;
        if (!result) return answer(call, result.error());
        answer(call, RegistrationResult());
    });
}

void RegistrationHandler::on_expire(const internal::v1::Expire& in, Call call) {
    if (in.device_number_size() != in.epoch_size()) {
        const Error error = make_error(Errc::invalid_argument, "expire: arrays of different lengths");
        return answer(call, error);
    }
    std::vector<ExpireEntry> entries;
    std::vector<bool> partitions(identity::kPartitions);
    for (int i = 0; i < in.device_number_size(); ++i) {
        entries.push_back({{in.device_number(i)}, in.epoch(i)});
        partitions[entries.back().device.partition()] = true;
    }
    const UnixMillis now_ms = runtime::now().wall_ms;
    store_.expire(std::move(entries), now_ms,
                  [this, alive = alive_, call = std::move(call), partitions](Result<std::size_t> ended) mutable {
                      if (!*alive) return;
                      if (!ended) return answer(call, ended.error());
                      if (*ended > 0) events_.expired(*ended);
                      for (std::uint32_t p = 0; p < identity::kPartitions; ++p) {
                          if (partitions[p]) events_.changed(p);
                      }
                      answer(call, RegistrationResult());
                  });
}

void RegistrationHandler::answer(Call& call, const Error& error) {
    RegistrationResult result;
    result.set_status(status_of(error.code));
    result.set_message(error.message);
    answer(call, std::move(result));
}

void RegistrationHandler::answer(Call& call, RegistrationResult&& result) {
    --pending_;
    result.set_id(call.id);
    if (result.status() == RegistrationResult::STATUS_UNSPECIFIED) result.set_status(RegistrationResult::STATUS_OK);
    events_.counted(call.operation, label_of(result.status()));
    call.reply(std::move(result));
}

}  // namespace lanyard::registry
