#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include <CLI/CLI.hpp>

#include "commands.hpp"
#include "lanyard/observation/v1/observation.grpc.pb.h"
#include "lanyard/registry/v1/device.grpc.pb.h"
#include "resuming_stream.hpp"
#include "stream_values.hpp"
#include "text.hpp"

namespace lanyard::cli {
namespace {

struct Arguments {
    std::string endpoint;
    std::string resume_token;
    std::uint64_t count = 0;
};

int tail_telemetry(const ClientOptions& options, const Arguments& arguments) {
    observation::v1::StreamValuesRequest request;
    request.set_parent(arguments.endpoint.empty() ? options.parent() : options.device(arguments.endpoint));
    request.set_resume_token(arguments.resume_token);
    return stream_values(options, std::move(request), arguments.count);
}

// Changes only: the snapshot that WatchDevices sends first is passed over.
int tail_lifecycle(const ClientOptions& options, const Arguments& arguments) {
    namespace v1 = registry::v1;
    const auto stub = v1::DeviceService::NewStub(options.channel());
    v1::WatchDevicesRequest request;
    request.set_parent(options.parent());
    request.set_resume_token(arguments.resume_token);
    std::uint64_t left = arguments.count;
    return read_resuming<v1::WatchDevicesRequest, v1::WatchDevicesResponse>(
        *options.signals, request,
        [&](grpc::ClientContext* context, const auto& wanted) { return stub->WatchDevices(context, wanted); },
        [&](const v1::WatchDevicesResponse& response) {
            const bool change = response.type() == v1::WatchDevicesResponse::TYPE_MODIFIED ||
                                response.type() == v1::WatchDevicesResponse::TYPE_DELETED;
            const bool wanted = arguments.endpoint.empty() || response.device().endpoint() == arguments.endpoint;
            if (!change || !wanted) return true;
            if (options.output == Output::json) {
                print_json(response);
            } else {
                std::printf("%-12s %s\n", response.event().c_str(), response.device().name().c_str());
            }
            std::fflush(stdout);
            return left == 0 || --left > 0;
        });
}

}  // namespace

int stream_values(const ClientOptions& options, observation::v1::StreamValuesRequest request, std::uint64_t count,
                  const std::function<grpc::Status()>& begun) {
    namespace v1 = observation::v1;
    const auto stub = v1::ObservationService::NewStub(options.channel());
    bool told = false;
    grpc::Status status;
    const int code = read_resuming<v1::StreamValuesRequest, v1::StreamValuesResponse>(
        *options.signals, std::move(request),
        [&](grpc::ClientContext* context, const auto& wanted) { return stub->StreamValues(context, wanted); },
        [&](const v1::StreamValuesResponse& response) {
            if (!std::exchange(told, true) && begun) status = begun();
            if (!status.ok()) return false;
            if (response.device().empty()) return true;  // only a newer token
            if (options.output == Output::json) {
                print_json(response);
            } else {
                const v1::LatestValue& value = response.value();
                std::printf("%s  %s  %s = %s\n", format_time(value.receive_time(), value.has_receive_time()).c_str(),
                            response.device().c_str(), value.node().path().c_str(), format_value(value.node()).c_str());
            }
            std::fflush(stdout);
            return count == 0 || --count > 0;
        });
    if (status.ok()) return code;
    print_error(status);
    return exit_code_of(status);
}

void add_tail_commands(CLI::App& app, const ClientOptions& options, Run& run) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* tail = app.add_subcommand("tail", "Follows what happens, one line each (Ctrl-C ends)");
    tail->require_subcommand(1);
    const auto add = [&](const char* name, const char* help, int (*action)(const ClientOptions&, const Arguments&)) {
        CLI::App* command = tail->add_subcommand(name, help);
        command->add_option("--endpoint", arguments->endpoint, "Only this device");
        command->add_option("--resume", arguments->resume_token, "Continue after this resume token");
        command->add_option("--count", arguments->count, "End after so many lines");
        command->callback([=, &options, &run] { run = [=, &options] { return action(options, *arguments); }; });
    };
    add("telemetry", "Values as they are stored", tail_telemetry);
    add("lifecycle", "Registrations, expiries and other changes of devices", tail_lifecycle);
}

}  // namespace lanyard::cli
