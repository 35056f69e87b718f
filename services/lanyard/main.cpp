#include <cstdio>
#include <functional>

#include <CLI/CLI.hpp>

#include "client.hpp"
#include "commands.hpp"
#include "exit_codes.hpp"
#include "runtime/signals.hpp"
#include "simulator/simulate_command.hpp"
#include "telemetry/build_info.hpp"

int main(int argc, char** argv) {
    using namespace lanyard;
    runtime::StopSignals signals;  // before any thread starts
    cli::ClientOptions options;
    options.signals = &signals;
    cli::Run run;
    CLI::App app{"Lanyard: a platform for LwM2M devices. Start with `lanyard dev --fleet 100`.", "lanyard"};
    app.require_subcommand(1);
    app.set_version_flag("--version", std::string(telemetry::build_info().version));
    app.add_option("--api", options.api, "gRPC address of the platform")->envname("LANYARD_API")->capture_default_str();
    app.add_option("--tenant", options.tenant, "Tenant")->envname("LANYARD_TENANT")->capture_default_str();
    app.add_option("-o,--output", options.output, "table or json")
        ->transform(CLI::CheckedTransformer(
            std::map<std::string, cli::Output>{{"table", cli::Output::table}, {"json", cli::Output::json}}));
    app.add_option("--timeout", options.timeout_s, "Seconds to wait for an answer")
        ->check(CLI::Range(0.1, 3600.0))
        ->capture_default_str();
    app.fallthrough();  // the options above may also stand after the subcommand
    cli::add_dev_command(app, signals, run);
    simulator::add_simulate_command(app, signals, run);
    cli::add_device_commands(app, options, run);
    cli::add_operation_commands(app, options, run);
    cli::add_observation_commands(app, options, run);
    cli::add_tail_commands(app, options, run);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? cli::ExitCode::ok : cli::ExitCode::usage;
    }
    return run();
}
