#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "commands.hpp"
#include "exit_codes.hpp"
#include "lanyard/registry/v1/device.grpc.pb.h"
#include "text.hpp"
#include "waiting_line.hpp"

namespace lanyard::cli {
namespace {

namespace v1 = registry::v1;

std::string state_name(v1::Device::State state) {
    const std::string name = v1::Device::State_Name(state);
    return name.substr(std::string("STATE_").size());
}

std::vector<std::string> device_row(const v1::Device& device) {
    const v1::Registration& registration = device.registration();
    return {device.endpoint(),
            state_name(device.state()),
            device.has_registration() ? registration.lwm2m_version() : "-",
            device.has_registration() ? std::to_string(registration.lifetime_seconds()) : "-",
            device.has_registration() ? registration.remote_address() : "-",
            format_time(device.last_seen_time(), device.has_last_seen_time())};
}

void print_devices(const std::vector<v1::Device>& devices) {
    std::vector<std::vector<std::string>> rows{{"ENDPOINT", "STATE", "LWM2M", "LIFETIME", "ADDRESS", "LAST SEEN"}};
    for (const v1::Device& device : devices) rows.push_back(device_row(device));
    std::fputs(format_table(rows).c_str(), stdout);
}

void print_device(const v1::Device& device) {
    const v1::Registration& registration = device.registration();
    std::vector<std::vector<std::string>> rows{
        {"name", device.name()},
        {"state", state_name(device.state())},
        {"enabled", device.enabled() ? "true" : "false"},
        {"number", std::to_string(device.device_number())},
        {"last seen", format_time(device.last_seen_time(), device.has_last_seen_time())}};
    if (!device.display_name().empty()) rows.push_back({"display name", device.display_name()});
    for (const auto& [key, value] : device.labels()) rows.push_back({"label " + key, value});
    if (device.has_registration()) {
        rows.push_back({"registration", registration.registration_id()});
        rows.push_back({"lwm2m", registration.lwm2m_version()});
        rows.push_back({"binding", registration.binding() + (registration.queue_mode() ? " (queue mode)" : "")});
        rows.push_back({"lifetime", std::to_string(registration.lifetime_seconds()) + " s"});
        rows.push_back({"address", registration.remote_address()});
        rows.push_back({"security", registration.security_mode()});
        rows.push_back({"objects", registration.object_links()});
        rows.push_back({"ingress", registration.ingress_instance()});
    }
    std::fputs(format_table(rows).c_str(), stdout);
}

// Pages through the list; with the table output up to `limit` devices are collected first.
int list_devices(const ClientOptions& options, const std::string& filter, int limit) {
    const auto stub = v1::DeviceService::NewStub(options.channel());
    std::vector<v1::Device> devices;
    v1::ListDevicesRequest request;
    request.set_parent(options.parent());
    request.set_filter(filter);
    bool more = false;
    do {
        request.set_page_size(std::min(1000, limit - static_cast<int>(devices.size())));
        v1::ListDevicesResponse response;
        const auto status = make_call(options, "the platform", [&](grpc::ClientContext* context) {
            return stub->ListDevices(context, request, &response);
        });
        if (!status.ok()) {
            print_error(status);
            return exit_code_of(status);
        }
        devices.insert(devices.end(), response.devices().begin(), response.devices().end());
        request.set_page_token(response.next_page_token());
        more = !response.next_page_token().empty();
    } while (more && static_cast<int>(devices.size()) < limit);
    if (options.output == Output::json) {
        for (const v1::Device& device : devices) print_json(device);
    } else {
        print_devices(devices);
        if (more) std::printf("... there are more than %d; raise --limit or narrow --filter\n", limit);
    }
    return ExitCode::ok;
}

// A call that answers with one device.
template <class Request>
int call_for_device(const ClientOptions& options, const Request& request,
                    grpc::Status (v1::DeviceService::Stub::*method)(grpc::ClientContext*, const Request&,
                                                                    v1::Device*)) {
    const auto stub = v1::DeviceService::NewStub(options.channel());
    v1::Device device;
    const auto status = make_call(options, "the platform", [&](grpc::ClientContext* context) {
        return (*stub.*method)(context, request, &device);
    });
    if (!status.ok()) {
        print_error(status);
        return exit_code_of(status);
    }
    options.output == Output::json ? print_json(device) : print_device(device);
    return ExitCode::ok;
}

int delete_device(const ClientOptions& options, const std::string& endpoint) {
    const auto stub = v1::DeviceService::NewStub(options.channel());
    v1::DeleteDeviceRequest request;
    request.set_name(options.device(endpoint));
    google::protobuf::Empty response;
    const auto status = make_call(options, "the platform", [&](grpc::ClientContext* context) {
        return stub->DeleteDevice(context, request, &response);
    });
    if (!status.ok()) print_error(status);
    return exit_code_of(status);
}

struct Arguments {
    std::string filter;
    std::string endpoint;
    int limit = 100;
};

}  // namespace

void add_device_commands(CLI::App& app, const ClientOptions& options, Run& run) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* devices = app.add_subcommand("devices", "The devices that the platform knows");
    devices->require_subcommand(1);

    CLI::App* list = devices->add_subcommand("list", "Lists devices");
    list->add_option("--filter", arguments->filter, "For example: state = ONLINE AND endpoint = \"meter-*\"");
    list->add_option("--limit", arguments->limit, "At most so many")
        ->capture_default_str()
        ->check(CLI::Range(1, 1000000));
    list->callback([=, &options, &run] {
        run = [=, &options] { return list_devices(options, arguments->filter, arguments->limit); };
    });

    const auto with_endpoint = [&](const char* name, const char* help, auto action) {
        CLI::App* command = devices->add_subcommand(name, help);
        command->add_option("ENDPOINT", arguments->endpoint, "Endpoint name")->required();
        command->callback(
            [=, &options, &run] { run = [=, &options] { return action(options, arguments->endpoint); }; });
    };
    with_endpoint("get", "Shows one device", [](const ClientOptions& o, const std::string& endpoint) {
        v1::GetDeviceRequest request;
        request.set_name(o.device(endpoint));
        return call_for_device(o, request, &v1::DeviceService::Stub::GetDevice);
    });
    with_endpoint("create", "Makes a device known before it registers",
                  [](const ClientOptions& o, const std::string& endpoint) {
                      v1::CreateDeviceRequest request;
                      request.set_parent(o.parent());
                      request.set_device_id(endpoint);
                      return call_for_device(o, request, &v1::DeviceService::Stub::CreateDevice);
                  });
    with_endpoint("deregister", "Ends the registration of a device",
                  [](const ClientOptions& o, const std::string& endpoint) {
                      v1::DeregisterDeviceRequest request;
                      request.set_name(o.device(endpoint));
                      return call_for_device(o, request, &v1::DeviceService::Stub::DeregisterDevice);
                  });
    with_endpoint("delete", "Removes a device", delete_device);
}

}  // namespace lanyard::cli
