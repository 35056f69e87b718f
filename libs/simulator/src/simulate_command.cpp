#include "simulator/simulate_command.hpp"

#include <atomic>
#include <charconv>
#include <cstdio>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include "runtime/signals.hpp"
#include "simulator/phase_script.hpp"
#include "simulator/report.hpp"
#include "simulator/simulate.hpp"

namespace lanyard::simulator {
namespace {

constexpr int kFailed = 1;
constexpr int kUsage = 2;
constexpr double kDefaultLoadSeconds = 10;
constexpr std::uint32_t kLoadLifetimeS = 86'400;

// The command line as it was given; turned into SimulateOptions by options_of().
struct Arguments {
    std::size_t count = 100;
    std::string target = "coap://127.0.0.1:5683";
    std::string endpoint = "sensor-%07u";
    std::uint64_t first = 1;
    std::uint32_t lifetime_s = 300;
    std::string version = "1.1";
    double interval_s = 10;
    double non_share = 0;
    double queue_share = 0;
    double register_rate = 1'000;
    std::size_t register_window = 512;
    double seconds = 0;
    double linger = 0;
    std::uint64_t seed = 1;
    bool counting = false;
    std::pair<unsigned, unsigned> update_after{70, 90};
    std::string load;
    std::string rate = "max";
    std::size_t window = 256;
    bool phases = false;
    bool deregister = false;
    std::string ack_log;
    std::string output = "table";
    // Set on the command line, so not to be replaced by what suits a load.
    bool lifetime_given = false;
    bool interval_given = false;
};

std::chrono::milliseconds milliseconds_of(double seconds) {
    return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

Result<LoadPhase> load_of(const Arguments& arguments) {
    const double seconds = arguments.seconds > 0 ? arguments.seconds : kDefaultLoadSeconds;
    return parse_phase(arguments.load + ' ' + std::to_string(seconds) + ' ' + arguments.rate + ' ' +
                       std::to_string(arguments.window));
}

Result<device::FleetProfile> profile_of(const Arguments& arguments) {
    device::FleetProfile profile;
    const Result<device::EndpointPattern> endpoints = device::EndpointPattern::parse(arguments.endpoint);
    if (!endpoints) return endpoints.error();
    const auto version = lwm2m::Version::parse(arguments.version);
    if (!version) return make_error(Errc::invalid_argument, "lwm2m: must be 1.0, 1.1 or 1.2");
    const bool under_load = !arguments.load.empty() || arguments.phases;
    profile.endpoints = *endpoints;
    profile.first_number = arguments.first;
    profile.version = *version;
    profile.lifetime_s = under_load && !arguments.lifetime_given ? kLoadLifetimeS : arguments.lifetime_s;
    profile.sample_interval = milliseconds_of(under_load && !arguments.interval_given ? 0 : arguments.interval_s);
    profile.non_share = arguments.non_share;
    profile.queue_mode_share = arguments.queue_share;
    profile.seed = arguments.seed;
    profile.counting = arguments.counting;
    profile.update_from_percent = arguments.update_after.first;
    profile.update_to_percent = arguments.update_after.second;
    return profile;
}

Result<SimulateOptions> options_of(const Arguments& arguments) {
    SimulateOptions options;
    Result<device::FleetProfile> profile = profile_of(arguments);
    if (!profile) return profile.error();
    const Result<Address> target = parse_target(arguments.target);
    if (!target) return target.error();
    options.count = arguments.count;
    options.target = *target;
    options.profile = std::move(*profile);
    options.register_rate_per_s = arguments.register_rate;
    options.register_window = arguments.register_window;
    options.linger = milliseconds_of(arguments.linger);
    options.deregister = arguments.deregister;
    options.ack_log = arguments.ack_log;
    if (arguments.load.empty()) {
        options.duration = milliseconds_of(arguments.seconds);
        return options;
    }
    Result<LoadPhase> load = load_of(arguments);
    if (!load) return load.error();
    options.load = *load;
    return options;
}

// The live line: in place on a terminal, else one line a second.
void show(const std::string& line) {
    static_cast<void>(std::fprintf(stderr, isatty(STDERR_FILENO) != 0 ? "\r\033[K%s" : "%s\n", line.c_str()));
}

void end_live_line() {
    if (isatty(STDERR_FILENO) != 0) static_cast<void>(std::fputc('\n', stderr));
}

int complain(const Error& error, int code) {
    static_cast<void>(std::fprintf(stderr, "error: %s\n", error.message.c_str()));
    return code;
}

int run_command(const Arguments& arguments, runtime::StopSignals& signals) {
    const Result<SimulateOptions> options = options_of(arguments);
    if (!options) return complain(options.error(), kUsage);
    if (const Result<void> valid = validate(*options); !valid) return complain(valid.error(), kUsage);
    std::atomic<bool> stop = false;
    PhaseScript script(STDIN_FILENO);
    SimulateCallbacks callbacks;
    callbacks.on_progress = [&](const Progress& progress) {
        show(progress_line(progress));
        if (signals.wait(Duration::zero())) stop = true;
    };
    if (arguments.phases) {
        callbacks.next_phase = [&] { return script.next(); };
        callbacks.on_registered = [] {
            static_cast<void>(std::puts("{\"registered\":true}"));
            static_cast<void>(std::fflush(stdout));
        };
        callbacks.on_phase = [](const LoadResult& result) {
            static_cast<void>(std::puts(load_json(result).c_str()));
            static_cast<void>(std::fflush(stdout));
        };
    }
    const Result<SimulateSummary> summary = simulate(*options, callbacks, stop);
    end_live_line();
    if (!summary) return complain(summary.error(), kFailed);
    const bool json = arguments.output == "json";
    static_cast<void>(std::fputs(json ? summary_json(*summary).c_str() : summary_text(*summary).c_str(), stdout));
    if (json) static_cast<void>(std::fputc('\n', stdout));
    return 0;
}

void add_device_options(CLI::App& command, Arguments& arguments) {
    command.add_option("--count", arguments.count, "Devices, up to 1000000")->capture_default_str();
    command.add_option("--target", arguments.target, "Where to: coap://<IPv4 or [IPv6]>[:port]")->capture_default_str();
    command.add_option("--endpoint", arguments.endpoint, "Endpoint names, with one %u")->capture_default_str();
    command.add_option("--first", arguments.first, "Number of the first device")->capture_default_str();
    command
        .add_option_function<std::uint32_t>(
            "--lifetime",
            [&arguments](std::uint32_t seconds) {
                arguments.lifetime_s = seconds;
                arguments.lifetime_given = true;
            },
            "Registration lifetime in seconds, 0 never expires")
        ->default_str("300, under load 86400");
    command
        .add_option("--update-after", arguments.update_after,
                    "Updates when so much of the lifetime has passed, FROM:TO in percent")
        ->delimiter(':')
        ->default_str("70:90");
    command.add_option("--lwm2m", arguments.version, "LwM2M version to register with")->capture_default_str();
    command
        .add_option_function<double>(
            "--interval",
            [&arguments](double seconds) {
                arguments.interval_s = seconds;
                arguments.interval_given = true;
            },
            "Seconds between two measurements, 0 none")
        ->default_str("10, under load 0");
    command.add_option("--non-share", arguments.non_share, "Share of notifications sent as NON")->capture_default_str();
    command.add_option("--queue-share", arguments.queue_share, "Share of devices in queue mode")->capture_default_str();
    command.add_option("--seed", arguments.seed, "Seed of everything that is random")->capture_default_str();
    command.add_flag("--counting", arguments.counting,
                     "Each measurement is 0.01 above the one before, so that no value of a device comes twice");
}

void add_course_options(CLI::App& command, Arguments& arguments) {
    command.add_option("--seconds", arguments.seconds, "Ends by itself; under load: length of the load (10)");
    command.add_option("--register-rate", arguments.register_rate, "Registrations per second at the start, 0 no limit")
        ->capture_default_str();
    command.add_option("--register-window", arguments.register_window, "Registrations outstanding at the start")
        ->capture_default_str();
    command.add_option("--load", arguments.load, "Load instead of life")
        ->check(CLI::IsMember({"updates", "notifications", "registrations", "sends"}));
    command.add_option("--rate", arguments.rate, "Load per second, or max")->capture_default_str();
    command.add_option("--window", arguments.window, "Messages outstanding under load")->capture_default_str();
    command.add_flag("--phases", arguments.phases,
                     "Read load phases from stdin: KIND SECONDS RATE|max WINDOW [TARGET]; a JSON line for each");
    command.add_option("--linger", arguments.linger, "Seconds that the devices live on after that, or after SIGTERM");
    command.add_flag("--deregister", arguments.deregister, "De-register all devices at the end");
    command.add_option("--ack-log", arguments.ack_log, "Write each acknowledgement to this file, as JSON lines");
    command.add_option("-o,--output", arguments.output, "table or json")
        ->check(CLI::IsMember({"table", "json"}))
        ->capture_default_str();
}

}  // namespace

void add_simulate_command(CLI::App& app, runtime::StopSignals& signals, std::function<int()>& run) {
    const auto arguments = std::make_shared<Arguments>();
    CLI::App* command = app.add_subcommand("simulate", "Play a fleet of temperature sensors against a CoAP server");
    add_device_options(*command, *arguments);
    add_course_options(*command, *arguments);
    command->callback(
        [arguments, &signals, &run] { run = [arguments, &signals] { return run_command(*arguments, signals); }; });
}

}  // namespace lanyard::simulator
