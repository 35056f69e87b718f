#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "commands.hpp"
#include "exit_codes.hpp"
#include "lanyard/observation/v1/observation.grpc.pb.h"
#include "stream_values.hpp"
#include "text.hpp"
#include "waiting_line.hpp"

namespace lanyard::cli {
namespace {

namespace v1 = observation::v1;

struct Arguments {
    std::string endpoint;
    std::string path;
    std::vector<std::string> attributes;
    bool detach = false;
    std::uint64_t count = 0;
};

std::string state_name(v1::Observation::State state) {
    return v1::Observation::State_Name(state).substr(std::string("STATE_").size());
}

grpc::Status declare(const ClientOptions& options, const Arguments& arguments, v1::Observation& made) {
    v1::CreateObservationRequest request;
    request.set_parent(options.device(arguments.endpoint));
    request.mutable_observation()->set_path(arguments.path);
    for (const std::string& text : arguments.attributes) {
        const std::size_t equals = text.find('=');
        const bool bare = equals == std::string::npos;
        (*request.mutable_observation()->mutable_attributes())[text.substr(0, equals)] =
            bare ? "" : text.substr(equals + 1);
    }
    const auto stub = v1::ObservationService::NewStub(options.channel());
    return make_call(options, "the platform",
                     [&](grpc::ClientContext* context) { return stub->CreateObservation(context, request, &made); });
}

int observe(const ClientOptions& options, const Arguments& arguments) {
    v1::Observation made;
    // One that exists already is as good.
    const auto ensure = [&] {
        const auto status = declare(options, arguments, made);
        return status.error_code() == grpc::StatusCode::ALREADY_EXISTS ? grpc::Status::OK : status;
    };
    if (arguments.detach) {
        if (const auto status = ensure(); !status.ok()) {
            print_error(status);
            return exit_code_of(status);
        }
        options.output == Output::json ? print_json(made) : void(std::printf("%s\n", made.name().c_str()));
        return ExitCode::ok;
    }
    v1::StreamValuesRequest request;
    request.set_parent(options.device(arguments.endpoint));
    request.add_path_prefixes(arguments.path);
    // Declared when the stream is open, so that the first value, which comes with the observation, is seen too.
    return stream_values(options, std::move(request), arguments.count, ensure);
}

int list(const ClientOptions& options, const Arguments& arguments) {
    const auto stub = v1::ObservationService::NewStub(options.channel());
    v1::ListObservationsRequest request;
    request.set_parent(options.device(arguments.endpoint));
    request.set_page_size(1000);
    v1::ListObservationsResponse response;
    do {
        v1::ListObservationsResponse page;
        const auto status = make_call(options, "the platform", [&](grpc::ClientContext* context) {
            return stub->ListObservations(context, request, &page);
        });
        if (!status.ok()) {
            print_error(status);
            return exit_code_of(status);
        }
        response.mutable_observations()->MergeFrom(page.observations());
        request.set_page_token(page.next_page_token());
    } while (!request.page_token().empty());
    if (options.output == Output::json) {
        print_json(response);
        return ExitCode::ok;
    }
    std::vector<std::vector<std::string>> rows{{"PATH", "STATE", "LAST NOTIFY", "FROM", "NAME"}};
    for (const v1::Observation& one : response.observations()) {
        const std::string state =
            state_name(one.state()) + (one.state_reason().empty() ? "" : ": " + one.state_reason());
        rows.push_back({one.path(), state, format_time(one.last_notify_time(), one.has_last_notify_time()),
                        one.template_().empty() ? "device" : one.template_(), one.name()});
    }
    std::fputs(format_table(rows).c_str(), stdout);
    return ExitCode::ok;
}

int latest(const ClientOptions& options, const Arguments& arguments) {
    const auto stub = v1::ObservationService::NewStub(options.channel());
    v1::GetLatestValuesRequest request;
    request.set_device(options.device(arguments.endpoint));
    v1::GetLatestValuesResponse response;
    const auto status = make_call(options, "the platform", [&](grpc::ClientContext* context) {
        return stub->GetLatestValues(context, request, &response);
    });
    if (!status.ok()) {
        print_error(status);
        return exit_code_of(status);
    }
    if (options.output == Output::json) {
        print_json(response);
        return ExitCode::ok;
    }
    std::vector<std::vector<std::string>> rows{{"PATH", "VALUE", "RECEIVED", "ORIGIN"}};
    for (const v1::LatestValue& value : response.values()) {
        rows.push_back({value.node().path(), format_value(value.node()),
                        format_time(value.receive_time(), value.has_receive_time()), value.origin()});
    }
    std::fputs(format_table(rows).c_str(), stdout);
    return ExitCode::ok;
}

int unobserve(const ClientOptions& options, const Arguments& arguments) {
    const auto stub = v1::ObservationService::NewStub(options.channel());
    v1::DeleteObservationRequest request;
    request.set_name(arguments.endpoint);
    google::protobuf::Empty response;
    const auto status = make_call(options, "the platform", [&](grpc::ClientContext* context) {
        return stub->DeleteObservation(context, request, &response);
    });
    if (!status.ok()) print_error(status);
    return exit_code_of(status);
}

}  // namespace

void add_observation_commands(CLI::App& app, const ClientOptions& options, Run& run) {
    auto arguments = std::make_shared<Arguments>();
    const auto add = [&](const char* name, const char* help, int (*action)(const ClientOptions&, const Arguments&)) {
        CLI::App* command = app.add_subcommand(name, help);
        command->callback([=, &options, &run] { run = [=, &options] { return action(options, *arguments); }; });
        return command;
    };
    CLI::App* observe_command =
        add("observe", "Observes a path of a device and shows its values (Ctrl-C ends)", observe);
    observe_command->add_option("ENDPOINT", arguments->endpoint, "Endpoint name of the device")->required();
    observe_command->add_option("PATH", arguments->path, "LwM2M path, for example /3303/0/5700")->required();
    observe_command->add_option("--attribute", arguments->attributes, "pmin=1 pmax=60 gt=.. lt=.. st=..");
    observe_command->add_option("--count", arguments->count, "End after so many values");
    observe_command->add_flag("--detach", arguments->detach, "Declare it only; it stays until it is deleted");
    add("observations", "Lists the observations of a device", list)
        ->add_option("ENDPOINT", arguments->endpoint, "Endpoint name of the device")
        ->required();
    add("latest", "Shows the newest value of each reported resource", latest)
        ->add_option("ENDPOINT", arguments->endpoint, "Endpoint name of the device")
        ->required();
    add("unobserve", "Deletes an observation", unobserve)
        ->add_option("NAME", arguments->endpoint, "Resource name, as `observations` shows it")
        ->required();
}

}  // namespace lanyard::cli
