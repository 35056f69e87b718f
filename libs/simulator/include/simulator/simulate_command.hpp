#pragma once

#include <functional>

namespace CLI {
class App;
}
namespace lanyard::runtime {
class StopSignals;
}

namespace lanyard::simulator {

// Adds the subcommand `simulate` with its options. When it was parsed, `run` is set to what main() shall call; it
// gives the exit code: 0, 1 when the simulation could not be done, 2 for a wrong option. SIGINT and SIGTERM end the
// simulation with its summary. `signals` and `run` outlive `app`.
void add_simulate_command(CLI::App& app, runtime::StopSignals& signals, std::function<int()>& run);

}  // namespace lanyard::simulator
