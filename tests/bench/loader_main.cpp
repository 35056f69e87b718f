#include <functional>

#include <CLI/CLI.hpp>

#include "runtime/signals.hpp"
#include "simulator/simulate_command.hpp"

// The simulator as a program of its own, without the platform linked in: for measurements.
int main(int argc, char** argv) {
    lanyard::runtime::StopSignals signals;
    std::function<int()> run;
    CLI::App app{"Load generator of the benchmarks", "lanyard-loader"};
    app.require_subcommand(1);
    lanyard::simulator::add_simulate_command(app, signals, run);
    CLI11_PARSE(app, argc, argv);
    return run();
}
