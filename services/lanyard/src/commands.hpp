#pragma once

#include <functional>

#include "client.hpp"

namespace CLI {
class App;
}
namespace lanyard::runtime {
class StopSignals;
}

namespace lanyard::cli {

// Each adds subcommands to the program. A parsed subcommand stores what main() shall run in `run`; it returns the
// exit code. `options` outlives the run.
using Run = std::function<int()>;

void add_device_commands(CLI::App& app, const ClientOptions& options, Run& run);       // devices list|get|...
void add_operation_commands(CLI::App& app, const ClientOptions& options, Run& run);    // read write exec discover ...
void add_observation_commands(CLI::App& app, const ClientOptions& options, Run& run);  // observe observations latest
void add_tail_commands(CLI::App& app, const ClientOptions& options, Run& run);         // tail telemetry|lifecycle
void add_dev_command(CLI::App& app, runtime::StopSignals& signals, Run& run);

}  // namespace lanyard::cli
