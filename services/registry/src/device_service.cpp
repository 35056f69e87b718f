#include "device_service.hpp"

#include <algorithm>
#include <utility>

#include "device_list.hpp"
#include "device_watch.hpp"
#include "identity/resource_name.hpp"
#include "identity/sealed_token.hpp"
#include "rpc/status.hpp"
#include "runtime/clock.hpp"

namespace lanyard::registry {
namespace {

constexpr int kPageDefault = 50;
constexpr int kPageMax = 1000;
constexpr int kBatchMax = 1000;

grpc::Status bad_field(const char* field, const Error& error) {
    return rpc::invalid_field(field, error.message);
}

// Of display_name, labels, enabled; empty means all (AIP-134).
struct UpdateMask {
    bool display_name = false;
    bool labels = false;
    bool enabled = false;
};

Result<UpdateMask> parse_mask(const google::protobuf::FieldMask& mask) {
    if (mask.paths_size() == 0) return UpdateMask{true, true, true};
    UpdateMask out;
    for (const std::string& path : mask.paths()) {
        const bool all = path == "*";
        if (!all && path != "display_name" && path != "labels" && path != "enabled") {
            return make_error(Errc::invalid_argument, "only display_name, labels and enabled can be changed");
        }
        out.display_name = out.display_name || all || path == "display_name";
        out.labels = out.labels || all || path == "labels";
        out.enabled = out.enabled || all || path == "enabled";
    }
    return out;
}

}  // namespace

// Ends by itself; gRPC's OnDone frees it.
class DeviceService::Reactor final : public grpc::ServerUnaryReactor {
  public:
    void OnDone() override { delete this; }
    grpc::ServerUnaryReactor* fail(grpc::Status status) {
        Finish(std::move(status));
        return this;
    }
    void finish(const Error& error) { Finish(rpc::to_status(error)); }
    void finish() { Finish(grpc::Status::OK); }
};

DeviceService::DeviceService(DeviceStore& store, NodeNames& nodes, TryExecutor executor, const Config& config,
                             const SipKey& key, WatchHub* watch, Events events)
    : store_(store),
      nodes_(nodes),
      executor_(std::move(executor)),
      config_(config),
      key_(key),
      watch_(watch),
      events_(std::move(events)) {}

ViewContext DeviceService::view() const {
    return {key_, config_.awake_window, runtime::now().wall_ms, &nodes_};
}

bool DeviceService::knows(const std::string& tenant) const {
    return std::any_of(config_.tenants.begin(), config_.tenants.end(),
                       [&](const TenantPolicy& policy) { return policy.id == tenant; });
}

Done<DeviceRecord> DeviceService::answer(Reactor* reactor, v1::Device* response, bool changes) {
    return [this, reactor, response, changes](Result<DeviceRecord> record) {
        if (!record) return reactor->finish(record.error());
        if (changes) events_.changed(record->number.partition());
        show(reactor, *record, response);
    };
}

grpc::ServerUnaryReactor* DeviceService::run(Reactor* reactor, runtime::Task work) {
    if (!executor_(std::move(work))) {
        reactor->finish(make_error(Errc::resource_exhausted, "too many calls are waiting; try again later"));
    }
    return reactor;
}

void DeviceService::show(Reactor* reactor, const DeviceRecord& record, v1::Device* response) {
    nodes_.prepare({record.node}, [this, reactor, record, response](Result<void> named) {
        if (!named) return reactor->finish(named.error());
        *response = to_device(record, view());
        reactor->finish();
    });
}

grpc::ServerUnaryReactor* DeviceService::GetDevice(grpc::CallbackServerContext*, const v1::GetDeviceRequest* request,
                                                   v1::Device* response) {
    auto* reactor = new Reactor;
    auto name = identity::parse_device_name(request->name());
    if (!name) return reactor->fail(bad_field("name", name.error()));
    return run(reactor, [this, reactor, response, name = std::move(*name)]() mutable {
        store_.get(std::move(name), answer(reactor, response, false));
    });
}

grpc::ServerUnaryReactor* DeviceService::ListDevices(grpc::CallbackServerContext*,
                                                     const v1::ListDevicesRequest* request,
                                                     v1::ListDevicesResponse* response) {
    auto* reactor = new Reactor;
    ListQuery query;
    auto tenant = identity::parse_tenant_name(request->parent());
    if (!tenant) return reactor->fail(bad_field("parent", tenant.error()));
    query.tenant = std::move(*tenant);
    if (request->page_size() < 0) return reactor->fail(rpc::invalid_field("page_size", "must not be negative"));
    query.page_size =
        static_cast<std::size_t>(std::min(request->page_size() == 0 ? kPageDefault : request->page_size(), kPageMax));
    auto filter = parse_device_filter(request->filter());
    if (!filter) return reactor->fail(bad_field("filter", filter.error()));
    query.filter = std::move(*filter);
    const std::uint64_t scope = identity::token_scope(query.tenant, query.filter.hash());
    const auto from = parse_page_token(key_, scope, request->page_token());
    if (!from) return reactor->fail(bad_field("page_token", from.error()));
    query.from = *from;
    query.view = view();
    return run(reactor, [this, reactor, response, scope, query = std::move(query)]() mutable {
        list_devices(store_, nodes_, std::move(query), [this, reactor, response, scope](Result<ListResult> result) {
            if (!result) return reactor->finish(result.error());
            for (v1::Device& device : result->devices) *response->add_devices() = std::move(device);
            if (result->next) response->set_next_page_token(make_page_token(key_, scope, *result->next));
            reactor->finish();
        });
    });
}

grpc::ServerUnaryReactor* DeviceService::BatchGetDevices(grpc::CallbackServerContext*,
                                                         const v1::BatchGetDevicesRequest* request,
                                                         v1::BatchGetDevicesResponse* response) {
    auto* reactor = new Reactor;
    const auto tenant = identity::parse_tenant_name(request->parent());
    if (!tenant) return reactor->fail(bad_field("parent", tenant.error()));
    if (request->names_size() > kBatchMax) return reactor->fail(rpc::invalid_field("names", "at most 1000"));
    std::vector<identity::DeviceName> names;
    for (const std::string& text : request->names()) {
        auto name = identity::parse_device_name(text);
        if (!name) return reactor->fail(bad_field("names", name.error()));
        if (name->tenant != *tenant) return reactor->fail(rpc::invalid_field("names", "not of the tenant in parent"));
        names.push_back(std::move(*name));
    }
    return run(reactor, [this, reactor, response, names = std::move(names)] {
        store_.get_many(names,
                        [this, reactor, response, names](Result<std::vector<std::optional<DeviceRecord>>> found) {
                            if (!found) return reactor->finish(found.error());
                            show_all(reactor, names, std::move(*found), response);
                        });
    });
}

void DeviceService::show_all(Reactor* reactor, const std::vector<identity::DeviceName>& names, Records records,
                             v1::BatchGetDevicesResponse* response) {
    std::vector<std::uint32_t> nodes;
    for (const auto& record : records) nodes.push_back(record ? record->node : 0);
    nodes_.prepare(nodes, [this, reactor, names, records = std::move(records), response](Result<void> named) {
        if (!named) return reactor->finish(named.error());
        const ViewContext context = view();
        for (std::size_t i = 0; i < names.size(); ++i) {
            if (records[i]) {
                *response->add_devices() = to_device(*records[i], context);
            } else {
                response->add_missing(names[i].resource_name());
            }
        }
        reactor->finish();
    });
}

grpc::ServerUnaryReactor* DeviceService::CreateDevice(grpc::CallbackServerContext*,
                                                      const v1::CreateDeviceRequest* request, v1::Device* response) {
    auto* reactor = new Reactor;
    auto tenant = identity::parse_tenant_name(request->parent());
    if (!tenant) return reactor->fail(bad_field("parent", tenant.error()));
    if (!knows(*tenant)) return reactor->fail(rpc::to_status(make_error(Errc::not_found, "the tenant is not known")));
    if (auto ok = identity::check_endpoint(request->device_id()); !ok) {
        return reactor->fail(bad_field("device_id", ok.error()));
    }
    const v1::Device& device = request->device();
    if (auto ok = check_display_name(device.display_name()); !ok) {
        return reactor->fail(bad_field("device.display_name", ok.error()));
    }
    if (auto ok = check_labels(device.labels()); !ok) return reactor->fail(bad_field("device.labels", ok.error()));
    CreateCommand command;
    command.name = {std::move(*tenant), request->device_id()};
    command.profile = {device.display_name(), {device.labels().begin(), device.labels().end()}};
    command.enabled = !request->has_device() || device.enabled();
    command.now_ms = runtime::now().wall_ms;
    return run(reactor, [this, reactor, response, command = std::move(command)]() mutable {
        store_.create(std::move(command), answer(reactor, response, true));
    });
}

grpc::ServerUnaryReactor* DeviceService::UpdateDevice(grpc::CallbackServerContext*,
                                                      const v1::UpdateDeviceRequest* request, v1::Device* response) {
    auto* reactor = new Reactor;
    const v1::Device& device = request->device();
    auto name = identity::parse_device_name(device.name());
    if (!name) return reactor->fail(bad_field("device.name", name.error()));
    const auto mask = parse_mask(request->update_mask());
    if (!mask) return reactor->fail(bad_field("update_mask", mask.error()));
    if (auto ok = check_display_name(device.display_name()); !ok) {
        return reactor->fail(bad_field("device.display_name", ok.error()));
    }
    if (auto ok = check_labels(device.labels()); !ok) return reactor->fail(bad_field("device.labels", ok.error()));
    ModifyCommand command;
    command.name = std::move(*name);
    if (!device.etag().empty()) {
        const auto revision = parse_etag(device.etag());
        if (!revision) return reactor->fail(bad_field("device.etag", revision.error()));
        command.revision = *revision;
    }
    if (mask->display_name) command.display_name = device.display_name();
    if (mask->labels) command.labels.emplace(device.labels().begin(), device.labels().end());
    if (mask->enabled) command.enabled = device.enabled();
    command.now_ms = runtime::now().wall_ms;
    return run(reactor, [this, reactor, response, command = std::move(command)]() mutable {
        store_.modify(std::move(command), answer(reactor, response, true));
    });
}

grpc::ServerUnaryReactor* DeviceService::DeleteDevice(grpc::CallbackServerContext*,
                                                      const v1::DeleteDeviceRequest* request,
                                                      google::protobuf::Empty*) {
    auto* reactor = new Reactor;
    auto name = identity::parse_device_name(request->name());
    if (!name) return reactor->fail(bad_field("name", name.error()));
    RemoveCommand command;
    command.name = std::move(*name);
    if (!request->etag().empty()) {
        const auto revision = parse_etag(request->etag());
        if (!revision) return reactor->fail(bad_field("etag", revision.error()));
        command.revision = *revision;
    }
    command.now_ms = runtime::now().wall_ms;
    const bool allow_missing = request->allow_missing();
    return run(reactor, [this, reactor, allow_missing, command = std::move(command)]() mutable {
        store_.remove(std::move(command), [this, reactor, allow_missing](Result<DeviceRecord> removed) {
            if (!removed) {
                const bool fine = allow_missing && removed.error().code == Errc::not_found;
                return fine ? reactor->finish() : reactor->finish(removed.error());
            }
            events_.changed(removed->number.partition());
            events_.ended(*removed);
            reactor->finish();
        });
    });
}

grpc::ServerUnaryReactor* DeviceService::DeregisterDevice(grpc::CallbackServerContext*,
                                                          const v1::DeregisterDeviceRequest* request,
                                                          v1::Device* response) {
    auto* reactor = new Reactor;
    auto name = identity::parse_device_name(request->name());
    if (!name) return reactor->fail(bad_field("name", name.error()));
    auto ended = [this, reactor, response](Result<Change> change) {
        if (!change) {
            // It was there a moment ago; now it is not registered any more.
            const bool gone = change.error().code == Errc::not_found;
            return reactor->finish(gone ? make_error(Errc::failed_precondition, "the device is not registered")
                                        : change.error());
        }
        events_.changed(change->device.number.partition());
        events_.ended(change->device);
        show(reactor, change->device, response);
    };
    return run(reactor, [this, reactor, name = std::move(*name), ended]() mutable {
        store_.get(std::move(name), [this, reactor, ended](Result<DeviceRecord> record) {
            if (!record) return reactor->finish(record.error());
            store_.deregister({record->number, 0, runtime::now().wall_ms}, ended);
        });
    });
}

grpc::ServerWriteReactor<v1::WatchDevicesResponse>* DeviceService::WatchDevices(
    grpc::CallbackServerContext* context, const v1::WatchDevicesRequest* request) {
    return watch_devices(watch_, context, *request);
}

}  // namespace lanyard::registry
