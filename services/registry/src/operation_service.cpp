#include "operation_service.hpp"

#include <algorithm>

#include "identity/resource_name.hpp"
#include "lwm2m/attributes.hpp"
#include "lwm2m/codec.hpp"
#include "lwm2m/link_format.hpp"
#include "lwm2m_coap/response.hpp"
#include "lwm2m_proto/node.hpp"
#include "operation_codec.hpp"
#include "operation_errors.hpp"
#include "rpc/deadline.hpp"
#include "rpc/status.hpp"
#include "runtime/clock.hpp"

namespace lanyard::registry {
namespace {

namespace v1 = operations::v1;
using internal::v1::DownlinkResult;

constexpr int kNodesMax = 1024;
constexpr std::chrono::milliseconds kRetryStore{1000};

Result<void> fill_read(const lwm2m::Path& path, const DeviceDialect& dialect, const DownlinkResult& result,
                       v1::ReadResourceResponse& response) {
    response.set_coap_code(coap_code_text(result.coap_code()));
    response.set_content_format(result.content_format());
    if (result.payload().empty()) return {};
    std::optional<std::uint16_t> number;
    if (result.has_content_format()) number = static_cast<std::uint16_t>(result.content_format());
    const auto format = lwm2m_coap::format_of(number);
    if (!format) return make_error(Errc::internal, "the device's answer: " + format.error().message);
    lwm2m::DecodeContext context{.base = path, .models = dialect.models};
    context.received_ms = result.received_ms();
    context.root_path = dialect.objects.root_path;
    const auto records = lwm2m::decode(*format, as_bytes(result.payload()), context);
    if (!records) return make_error(Errc::internal, "the device's answer: " + records.error().message);
    for (const lwm2m::Record& record : *records) lwm2m_proto::to_node(record, *response.add_nodes());
    return {};
}

Result<void> fill_discover(const DeviceDialect& dialect, const DownlinkResult& result,
                           v1::DiscoverResourcesResponse& response) {
    response.set_coap_code(coap_code_text(result.coap_code()));
    const auto links = lwm2m::parse_links(result.payload());
    if (!links) return make_error(Errc::internal, "the device's answer: " + links.error().message);
    for (const lwm2m::Link& link : *links) {
        v1::Link& out = *response.add_links();
        const std::string& root = dialect.objects.root_path;
        const bool below_root = !root.empty() && link.target.starts_with(root + "/");
        out.set_path(below_root ? link.target.substr(root.size()) : link.target);
        for (const auto& attribute : link.attributes) {
            (*out.mutable_attributes())[attribute.name] = attribute.value.value_or("");
        }
    }
    return {};
}

Result<lwm2m_coap::Operation> build_write(const lwm2m::Path& path, bool partial, const lwm2m::Records& records,
                                          std::optional<lwm2m::ContentFormat> format, const DeviceDialect& dialect) {
    lwm2m_coap::Write write;
    write.path = path;
    write.mode = partial ? lwm2m_coap::WriteMode::partial : lwm2m_coap::WriteMode::replace;
    write.format = format ? *format : write_format(dialect, path, records);
    auto payload = lwm2m::encode(write.format, path, records, dialect.models);
    if (!payload) return payload.error();
    write.payload = std::move(*payload);
    return lwm2m_coap::Operation(std::move(write));
}

Result<lwm2m::Attributes> to_attributes(const google::protobuf::Map<std::string, std::string>& map) {
    std::vector<std::string> texts;
    for (const auto& [name, value] : map) texts.push_back(value.empty() ? name : name + "=" + value);
    std::sort(texts.begin(), texts.end());
    const std::vector<std::string_view> views(texts.begin(), texts.end());
    return lwm2m::parse_attributes(views);
}

}  // namespace

// One call; frees itself when gRPC is done with it.
class OperationService::Call final : public grpc::ServerUnaryReactor {
  public:
    Call(OperationService& service, grpc::CallbackServerContext* context, std::string_view operation)
        : service_(service),
          operation_(operation),
          began_(runtime::steady_now()),
          deadline_(rpc::deadline_of(
              *context, began_,
              std::chrono::duration_cast<std::chrono::milliseconds>(service.config_.downlink.default_timeout))) {}
    // Counted when the caller has been answered: that need not wait for it.
    void OnDone() override {
        service_.counted_(operation_, label_, took_);
        delete this;
    }

    grpc::ServerUnaryReactor* refuse(const char* field, const Error& error) {
        finish(rpc::invalid_field(field, error.message), "refused");
        return this;
    }
    void finish(grpc::Status status, std::string label) {
        label_ = std::move(label);
        took_ = runtime::steady_now() - began_;
        Finish(std::move(status));
    }
    // What is left until the caller's deadline; at least 1.
    [[nodiscard]] std::uint32_t timeout_ms() const {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - runtime::steady_now());
        return static_cast<std::uint32_t>(std::clamp<std::int64_t>(left.count(), 1, 3600000));
    }

  private:
    OperationService& service_;
    const std::string_view operation_;
    const SteadyTime began_;
    const SteadyTime deadline_;
    std::string label_;
    Duration took_{};
};

OperationService::OperationService(DeviceStore& store, DownlinkRouter& router, KnownDevices& known,
                                   const Config& config, Counted counted)
    : store_(store), router_(router), known_(known), config_(config), counted_(std::move(counted)) {}

grpc::ServerUnaryReactor* OperationService::run(Call* call, const std::string& device, Build build, Fill fill) {
    auto name = identity::parse_device_name(device);
    if (!name) return call->refuse("device", name.error());
    const auto operation =
        std::make_shared<const Operation>(Operation{call, std::move(*name), std::move(build), std::move(fill)});
    if (const auto known = known_.find(operation->device, runtime::steady_now())) {
        send(operation, *known, true);
    } else {
        look_up(operation);
    }
    return call;
}

void OperationService::look_up(const Shared& operation) {
    store_.find(operation->device,
                [this, operation](Result<DeviceRecord> record) { on_device(operation, std::move(record)); });
}

void OperationService::on_device(const Shared& operation, Result<DeviceRecord> device) {
    Call* call = operation->call;
    DownlinkResult refused;
    if (!device && device.error().code != Errc::not_found) {
        return call->finish(rpc::to_status(device.error(), {.reason = "STORE_UNAVAILABLE", .retry_after = kRetryStore}),
                            "unavailable");
    }
    if (!device) {
        refused.set_outcome(DownlinkResult::OUTCOME_UNKNOWN_DEVICE);
        refused.set_message(device.error().message);
        return call->finish(status_unanswered(refused), result_label(refused));
    }
    if (!device->registered || is_sleeping(*device, runtime::now().wall_ms, config_.awake_window)) {
        refused.set_outcome(device->registered ? DownlinkResult::OUTCOME_SLEEPING : DownlinkResult::OUTCOME_OFFLINE);
        refused.set_message(device->registered ? "the device is past its awake window"
                                               : "the device is not registered");
        return call->finish(status_unanswered(refused), result_label(refused));
    }
    send(operation, known_.put(*device, runtime::steady_now()), false);
}

void OperationService::send(const Shared& operation, const KnownDevice& device, bool hinted) {
    Call* call = operation->call;
    const auto asked = operation->build(*device.dialect);
    auto coap = asked ? to_coap_request(*asked) : asked.error();
    if (!coap && hinted) return look_up(operation);
    if (!asked && asked.error().code == Errc::invalid_argument) {
        (void)call->refuse("nodes", asked.error());  // only values can be wrong for this device
        return;
    }
    if (!coap && coap.error().code == Errc::invalid_argument) {
        (void)call->refuse("path", coap.error());
        return;
    }
    if (!coap) return call->finish(rpc::to_status(coap.error()), "refused");
    internal::v1::DownlinkRequest request;
    request.set_device_number(device.number.value);
    request.set_generation(device.generation);
    request.mutable_owner()->set_node(device.node);
    request.mutable_owner()->set_shard(device.shard);
    request.mutable_owner()->set_epoch(device.epoch);
    request.set_timeout_ms(call->timeout_ms());
    *request.mutable_request() = std::move(*coap);
    router_.route(std::move(request), [this, operation, device, asked = *asked, hinted](DownlinkResult&& result) {
        on_result(operation, device, asked, result, hinted);
    });
}

void OperationService::on_result(const Shared& operation, const KnownDevice& device, const lwm2m_coap::Operation& asked,
                                 const DownlinkResult& result, bool hinted) {
    const auto outcome = result.outcome();
    if (hinted && outcome != DownlinkResult::OUTCOME_ANSWERED) known_.forget(operation->device);
    // Refused before anything was sent to the device.
    const bool is_over =
        outcome == DownlinkResult::OUTCOME_OFFLINE || outcome == DownlinkResult::OUTCOME_UNKNOWN_DEVICE;
    if (hinted && is_over) return look_up(operation);
    grpc::Status status = status_of(asked, result);
    if (status.ok()) {
        if (auto filled = operation->fill(*device.dialect, result); !filled) status = rpc::to_status(filled.error());
    }
    operation->call->finish(std::move(status), result_label(result));
}

grpc::ServerUnaryReactor* OperationService::ReadResource(grpc::CallbackServerContext* context,
                                                         const v1::ReadResourceRequest* request,
                                                         v1::ReadResourceResponse* response) {
    auto* call = new Call(*this, context, "read");
    const auto path = parse_operation_path(request->path(), 1);
    if (!path) return call->refuse("path", path.error());
    std::optional<lwm2m::ContentFormat> accept;
    if (request->has_accept()) {
        const auto format = parse_format(request->accept());
        if (!format) return call->refuse("accept", format.error());
        accept = *format;
    }
    return run(
        call, request->device(),
        [path = *path, accept](const DeviceDialect& dialect) -> Result<lwm2m_coap::Operation> {
            return lwm2m_coap::Operation(lwm2m_coap::Read{path, accept ? accept : read_format(dialect)});
        },
        [path = *path, response](const DeviceDialect& dialect, const DownlinkResult& result) {
            return fill_read(path, dialect, result, *response);
        });
}

grpc::ServerUnaryReactor* OperationService::WriteResource(grpc::CallbackServerContext* context,
                                                          const v1::WriteResourceRequest* request,
                                                          v1::WriteResourceResponse* response) {
    auto* call = new Call(*this, context, "write");
    const auto bad = [](const char* text) { return make_error(Errc::invalid_argument, text); };
    const auto path = parse_operation_path(request->path(), 2);
    if (!path) return call->refuse("path", path.error());
    if (request->nodes_size() == 0) return call->refuse("nodes", bad("at least one is needed"));
    if (request->nodes_size() > kNodesMax) return call->refuse("nodes", bad("at most 1024"));
    auto records = lwm2m_proto::to_records(request->nodes());
    if (!records) return call->refuse("nodes", records.error());
    for (const lwm2m::Record& record : *records) {
        if (!path->contains(record.path)) return call->refuse("nodes", bad("a path is not at or below `path`"));
    }
    std::optional<lwm2m::ContentFormat> chosen;
    if (request->has_content_format()) {
        const auto format = parse_format(request->content_format());
        if (!format) return call->refuse("content_format", format.error());
        chosen = *format;
    }
    return run(
        call, request->device(),
        [path = *path, partial = request->partial(), records = std::move(*records),
         chosen](const DeviceDialect& dialect) { return build_write(path, partial, records, chosen, dialect); },
        [response](const DeviceDialect&, const DownlinkResult& result) -> Result<void> {
            response->set_coap_code(coap_code_text(result.coap_code()));
            return {};
        });
}

grpc::ServerUnaryReactor* OperationService::ExecuteResource(grpc::CallbackServerContext* context,
                                                            const v1::ExecuteResourceRequest* request,
                                                            v1::ExecuteResourceResponse* response) {
    auto* call = new Call(*this, context, "execute");
    const auto path = parse_operation_path(request->path(), 3);
    if (!path) return call->refuse("path", path.error());
    if (path->size() != 3) return call->refuse("path", make_error(Errc::invalid_argument, "must be a resource"));
    if (auto ok = lwm2m_coap::check_execute_arguments(request->arguments()); !ok) {
        return call->refuse("arguments", ok.error());
    }
    return run(
        call, request->device(),
        [path = *path, arguments = request->arguments()](const DeviceDialect&) -> Result<lwm2m_coap::Operation> {
            return lwm2m_coap::Operation(lwm2m_coap::Execute{path, arguments});
        },
        [response](const DeviceDialect&, const DownlinkResult& result) -> Result<void> {
            response->set_coap_code(coap_code_text(result.coap_code()));
            return {};
        });
}

grpc::ServerUnaryReactor* OperationService::DiscoverResources(grpc::CallbackServerContext* context,
                                                              const v1::DiscoverResourcesRequest* request,
                                                              v1::DiscoverResourcesResponse* response) {
    auto* call = new Call(*this, context, "discover");
    const auto path = parse_operation_path(request->path(), 1);
    if (!path) return call->refuse("path", path.error());
    return run(
        call, request->device(),
        [path = *path](const DeviceDialect&) -> Result<lwm2m_coap::Operation> {
            return lwm2m_coap::Operation(lwm2m_coap::Discover{path, std::nullopt});
        },
        [response](const DeviceDialect& dialect, const DownlinkResult& result) {
            return fill_discover(dialect, result, *response);
        });
}

grpc::ServerUnaryReactor* OperationService::WriteAttributes(grpc::CallbackServerContext* context,
                                                            const v1::WriteAttributesRequest* request,
                                                            v1::WriteAttributesResponse* response) {
    auto* call = new Call(*this, context, "write-attributes");
    const auto path = parse_operation_path(request->path(), 1);
    if (!path) return call->refuse("path", path.error());
    if (request->attributes().empty()) {
        return call->refuse("attributes", make_error(Errc::invalid_argument, "at least one is needed"));
    }
    const auto attributes = to_attributes(request->attributes());
    if (!attributes) return call->refuse("attributes", attributes.error());
    if (auto ok = lwm2m::validate(*attributes, *path); !ok) return call->refuse("attributes", ok.error());
    return run(
        call, request->device(),
        [path = *path, attributes = *attributes](const DeviceDialect&) -> Result<lwm2m_coap::Operation> {
            return lwm2m_coap::Operation(lwm2m_coap::WriteAttributes{path, attributes});
        },
        [response](const DeviceDialect&, const DownlinkResult& result) -> Result<void> {
            response->set_coap_code(coap_code_text(result.coap_code()));
            return {};
        });
}

}  // namespace lanyard::registry
