#include "registry_directory.hpp"

#include <atomic>
#include <utility>

#include <grpcpp/grpcpp.h>

#include "identity/resource_name.hpp"
#include "lanyard/registry/v1/device.grpc.pb.h"
#include "rpc/channel_pool.hpp"
#include "rpc/deadline.hpp"
#include "rpc/status.hpp"

namespace lanyard::observation {
namespace {

using namespace std::chrono_literals;
using registry::v1::Device;
using registry::v1::DeviceService;

constexpr std::chrono::milliseconds kTimeout = 5s;

DeviceInfo to_info(const Device& device) {
    DeviceInfo out;
    out.number.value = device.device_number();
    if (auto name = identity::parse_device_name(device.name())) {
        out.tenant = name->tenant;
        out.endpoint = name->endpoint;
    }
    out.labels.insert(device.labels().begin(), device.labels().end());
    out.registered = device.has_registration();
    out.generation = device.registration().generation();
    out.lwm2m_version = device.registration().lwm2m_version();
    out.object_links = device.registration().object_links();
    return out;
}

// One call with everything that must live until it ends.
template <class Request, class Response>
struct Call {
    std::unique_ptr<DeviceService::Stub> stub;
    grpc::ClientContext context;
    Request request;
    Response response;
};

}  // namespace

struct RegistryDirectory::Impl : std::enable_shared_from_this<Impl> {
    explicit Impl(std::vector<std::string> list) : addresses(std::move(list)) {}

    // `start(stub, call, callback)` begins the RPC; `done` gets the final status.
    template <class Request, class Response, class Start, class Done>
    void call(Request request, Start start, Done done, std::size_t tried = 0) {
        auto call = std::make_shared<Call<Request, Response>>();
        const std::size_t index = current % addresses.size();
        call->stub = DeviceService::NewStub(channels.get(addresses[index]));
        call->request = std::move(request);
        rpc::set_timeout(call->context, kTimeout);
        start(*call, [self = shared_from_this(), call, start, done, tried, index](const grpc::Status& status) {
            if (status.error_code() == grpc::StatusCode::UNAVAILABLE && tried + 1 < self->addresses.size()) {
                self->current = index + 1;
                self->template call<Request, Response>(std::move(call->request), start, done, tried + 1);
                return;
            }
            done(status, call->response);
        });
    }

    std::vector<std::string> addresses;
    rpc::ChannelPool channels;
    std::atomic<std::size_t> current{0};
};

RegistryDirectory::RegistryDirectory(std::vector<std::string> addresses)
    : impl_(std::make_shared<Impl>(std::move(addresses))) {}
RegistryDirectory::~RegistryDirectory() = default;

void RegistryDirectory::get(const std::string& tenant, const std::string& endpoint,
                            std::function<void(Result<DeviceInfo>)> done) {
    registry::v1::GetDeviceRequest request;
    request.set_name(identity::DeviceName{tenant, endpoint}.resource_name());
    impl_->call<registry::v1::GetDeviceRequest, Device>(
        std::move(request),
        [](auto& call, auto callback) {
            call.stub->async()->GetDevice(&call.context, &call.request, &call.response, std::move(callback));
        },
        [done = std::move(done)](const grpc::Status& status, const Device& device) {
            done(status.ok() ? Result<DeviceInfo>(to_info(device)) : Result<DeviceInfo>(rpc::to_error(status)));
        });
}

void RegistryDirectory::list(const std::string& tenant, const std::string& page_token, int page_size,
                             std::function<void(Result<DevicePage>)> done) {
    using Request = registry::v1::ListDevicesRequest;
    using Response = registry::v1::ListDevicesResponse;
    Request request;
    request.set_parent("tenants/" + tenant);
    request.set_page_token(page_token);
    request.set_page_size(page_size);
    impl_->call<Request, Response>(
        std::move(request),
        [](auto& call, auto callback) {
            call.stub->async()->ListDevices(&call.context, &call.request, &call.response, std::move(callback));
        },
        [done = std::move(done)](const grpc::Status& status, const Response& response) {
            if (!status.ok()) return done(rpc::to_error(status));
            DevicePage page;
            page.next_page_token = response.next_page_token();
            for (const Device& device : response.devices()) page.devices.push_back(to_info(device));
            done(std::move(page));
        });
}

}  // namespace lanyard::observation
