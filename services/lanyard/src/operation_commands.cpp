#include <charconv>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <google/protobuf/util/time_util.h>

#include "base/hex.hpp"
#include "commands.hpp"
#include "exit_codes.hpp"
#include "lanyard/operations/v1/operation.grpc.pb.h"
#include "lwm2m_proto/node.hpp"
#include "text.hpp"
#include "typed_value.hpp"
#include "waiting_line.hpp"

namespace lanyard::cli {
namespace {

namespace v1 = operations::v1;

struct Arguments {
    std::string endpoint;
    std::string path;
    std::vector<std::string> values;
    std::string type;
    std::string arguments;
    std::optional<std::uint32_t> format;
    bool partial = false;
};

const std::map<std::string, std::uint32_t> kFormats{{"text", 0},         {"opaque", 42},      {"cbor", 60},
                                                    {"senml-json", 110}, {"senml-cbor", 112}, {"tlv", 11542}};

// Runs one call of the service; prints the error and gives its exit code.
template <class Request, class Response>
std::optional<int> call(const ClientOptions& options, const Request& request, Response& response,
                        grpc::Status (v1::DeviceOperationService::Stub::*method)(grpc::ClientContext*, const Request&,
                                                                                 Response*)) {
    const auto stub = v1::DeviceOperationService::NewStub(options.channel());
    const auto status = make_call(options, request.device(), [&](grpc::ClientContext* context) {
        return (*stub.*method)(context, request, &response);
    });
    if (status.ok()) return std::nullopt;
    print_error(status);
    return exit_code_of(status);
}

int read(const ClientOptions& options, const Arguments& arguments) {
    v1::ReadResourceRequest request;
    request.set_device(options.device(arguments.endpoint));
    request.set_path(arguments.path);
    if (arguments.format) request.set_accept(*arguments.format);
    v1::ReadResourceResponse response;
    if (const auto code = call(options, request, response, &v1::DeviceOperationService::Stub::ReadResource))
        return *code;
    if (options.output == Output::json) {
        print_json(response);
        return ExitCode::ok;
    }
    std::vector<std::vector<std::string>> rows{{"PATH", "TYPE", "VALUE"}};
    for (const v1::Node& node : response.nodes()) {
        rows.push_back({node.path(), std::string(lwm2m::to_string(lwm2m_proto::type_of(node))), format_value(node)});
    }
    std::fputs(format_table(rows).c_str(), stdout);
    return ExitCode::ok;
}

// The values are one value for a resource, or "ID=VALUE" for each resource of an instance.
std::optional<v1::WriteResourceRequest> make_write(const ClientOptions& options, const Arguments& arguments) {
    v1::WriteResourceRequest request;
    request.set_device(options.device(arguments.endpoint));
    request.set_path(arguments.path);
    request.set_partial(arguments.partial);
    if (arguments.format) request.set_content_format(*arguments.format);
    for (const std::string& text : arguments.values) {
        std::string path = arguments.path;
        std::string value = text;
        const std::size_t equals = text.find('=');
        if (std::count(path.begin(), path.end(), '/') < 3 && equals != std::string::npos) {
            path += "/" + text.substr(0, equals);
            value = text.substr(equals + 1);
        }
        auto node = parse_typed_value(path, value, arguments.type);
        if (!node) {
            std::fprintf(stderr, "error: %s\n", node.error().message.c_str());
            return std::nullopt;
        }
        *request.add_nodes() = std::move(*node);
    }
    return request;
}

int report(const ClientOptions& options, const google::protobuf::Message& response, const std::string& coap_code) {
    if (options.output == Output::json) {
        print_json(response);
    } else {
        std::printf("%s\n", coap_code.c_str());
    }
    return ExitCode::ok;
}

int write(const ClientOptions& options, const Arguments& arguments) {
    const auto request = make_write(options, arguments);
    if (!request) return ExitCode::usage;
    v1::WriteResourceResponse response;
    if (const auto code = call(options, *request, response, &v1::DeviceOperationService::Stub::WriteResource))
        return *code;
    return report(options, response, response.coap_code());
}

int execute(const ClientOptions& options, const Arguments& arguments) {
    v1::ExecuteResourceRequest request;
    request.set_device(options.device(arguments.endpoint));
    request.set_path(arguments.path);
    request.set_arguments(arguments.arguments);
    v1::ExecuteResourceResponse response;
    if (const auto code = call(options, request, response, &v1::DeviceOperationService::Stub::ExecuteResource)) {
        return *code;
    }
    return report(options, response, response.coap_code());
}

int discover(const ClientOptions& options, const Arguments& arguments) {
    v1::DiscoverResourcesRequest request;
    request.set_device(options.device(arguments.endpoint));
    request.set_path(arguments.path);
    v1::DiscoverResourcesResponse response;
    if (const auto code = call(options, request, response, &v1::DeviceOperationService::Stub::DiscoverResources)) {
        return *code;
    }
    if (options.output == Output::json) {
        print_json(response);
        return ExitCode::ok;
    }
    std::vector<std::vector<std::string>> rows{{"PATH", "ATTRIBUTES"}};
    for (const v1::Link& link : response.links()) {
        std::string attributes;
        for (const auto& [key, value] : link.attributes()) {
            attributes += (attributes.empty() ? "" : " ") + key + (value.empty() ? "" : "=" + value);
        }
        rows.push_back({link.path(), attributes});
    }
    std::fputs(format_table(rows).c_str(), stdout);
    return ExitCode::ok;
}

int write_attributes(const ClientOptions& options, const Arguments& arguments) {
    v1::WriteAttributesRequest request;
    request.set_device(options.device(arguments.endpoint));
    request.set_path(arguments.path);
    for (const std::string& text : arguments.values) {
        const std::size_t equals = text.find('=');
        const bool bare = equals == std::string::npos;
        (*request.mutable_attributes())[text.substr(0, equals)] = bare ? "" : text.substr(equals + 1);
    }
    v1::WriteAttributesResponse response;
    if (const auto code = call(options, request, response, &v1::DeviceOperationService::Stub::WriteAttributes)) {
        return *code;
    }
    return report(options, response, response.coap_code());
}

}  // namespace

void add_operation_commands(CLI::App& app, const ClientOptions& options, Run& run) {
    auto arguments = std::make_shared<Arguments>();
    const auto add = [&](const char* name, const char* help, int (*action)(const ClientOptions&, const Arguments&)) {
        CLI::App* command = app.add_subcommand(name, help);
        command->add_option("ENDPOINT", arguments->endpoint, "Endpoint name of the device")->required();
        command->add_option("PATH", arguments->path, "LwM2M path, for example /3303/0/5700")->required();
        command->callback([=, &options, &run] { run = [=, &options] { return action(options, *arguments); }; });
        return command;
    };
    const auto add_format = [&](CLI::App* command) {
        command->add_option("--format", arguments->format, "Content format")
            ->transform(CLI::CheckedTransformer(kFormats));
    };

    add_format(add("read", "Reads an object, instance or resource of a device", read));
    CLI::App* write_command = add("write", "Writes a resource, or resources of an instance as ID=VALUE", write);
    write_command->add_option("VALUE", arguments->values, "The value; its type comes from the object's model")
        ->required();
    write_command->add_option("--type", arguments->type, "Type where the model does not know the resource");
    write_command->add_flag("--partial", arguments->partial, "Keep what is not written (POST instead of PUT)");
    add_format(write_command);
    add("exec", "Executes a resource of a device", execute)
        ->add_option("ARGUMENTS", arguments->arguments, "Execute arguments, for example 0='x'");
    add("discover", "Lists what a device has below a path", discover);
    add("attributes", "Writes notification attributes (pmin=1 pmax=60 gt lt st ...)", write_attributes)
        ->add_option("NAME=VALUE", arguments->values, "Attributes; a name alone unsets it")
        ->required();
}

}  // namespace lanyard::cli
