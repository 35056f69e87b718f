#include <atomic>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "commands.hpp"
#include "dev_platform.hpp"
#include "exit_codes.hpp"
#include "record_counter.hpp"
#include "runtime/signals.hpp"
#include "runtime/socket_address.hpp"
#include "runtime/thread.hpp"
#include "simulator/simulate.hpp"

namespace lanyard::cli {
namespace {

using namespace std::chrono_literals;
using runtime::to_string;

struct Arguments {
    std::size_t fleet = 0;
    double seconds = 0;
    double interval_s = 5;
    std::string endpoints_file;
    std::string coap = "127.0.0.1:5683";
    std::string grpc = "127.0.0.1:7400";
    std::string kafka = "127.0.0.1:19092";
    std::string metrics = "127.0.0.1:9400";
    std::string log_level = "warn";
    unsigned shards = 1;
};

// The simulated fleet on a thread of its own.
class Fleet {
  public:
    Fleet(const Address& target, std::size_t count, double interval_s) {
        options_.count = count;
        options_.target = target;
        options_.register_rate_per_s = 2000;
        options_.deregister = true;
        options_.profile.sample_interval = std::chrono::milliseconds(static_cast<std::int64_t>(interval_s * 1000));
        thread_ = runtime::Thread("fleet", [this] { result_ = simulator::simulate(options_, {}, stop_); });
    }
    ~Fleet() { stop(); }

    // Devices de-register; the error when the fleet could not run.
    std::optional<Error> stop() {
        stop_ = true;
        if (thread_.joinable()) (void)thread_.join(runtime::Deadline::never());
        return result_ && !*result_ ? std::optional(result_->error()) : std::nullopt;
    }

  private:
    simulator::SimulateOptions options_;
    std::atomic<bool> stop_{false};
    std::optional<Result<simulator::SimulateSummary>> result_;
    runtime::Thread thread_;
};

// Sum of a gauge over its labels, from what a scrape would show.
double gauge_sum(const telemetry::MetricRegistry& metrics, const std::string& name) {
    const std::string text = metrics.expose();
    double sum = 0;
    for (std::size_t at = text.find("\n" + name); at != std::string::npos; at = text.find("\n" + name, at + 1)) {
        const std::size_t end = text.find('\n', at + 1);
        const std::string line = text.substr(at + 1, end - at - 1);
        const char next = line[name.size()];
        if (next == '{' || next == ' ') sum += std::strtod(line.c_str() + line.rfind(' '), nullptr);
    }
    return sum;
}

// "sensor-0000042 /3303/0/5700 = 21.4" out of a telemetry record.
std::string describe(const std::string& record) {
    const auto value = nlohmann::json::parse(record, nullptr, /*allow_exceptions=*/false);
    if (!value.is_object() || !value.contains("value")) return "-";
    return value.value("endpoint", "") + " " + value.value("path", "") + " = " + value["value"].dump() + " " +
           value.value("unit", "");
}

bool write_endpoints(const std::string& path, const DevEndpoints& endpoints) {
    const nlohmann::json content{{"coap", "coap://" + to_string(endpoints.coap)},
                                 {"grpc", to_string(endpoints.grpc)},
                                 {"kafka", endpoints.kafka},
                                 {"metrics", "http://" + to_string(endpoints.metrics) + "/metrics"}};
    const std::string partial = path + ".partial";  // whoever waits for the file never sees half of it
    std::ofstream(partial) << content.dump(2) << "\n";
    return std::rename(partial.c_str(), path.c_str()) == 0;
}

void print_welcome(const DevEndpoints& endpoints, const Arguments& arguments, double ready_s) {
    const std::string api = to_string(endpoints.grpc) == "127.0.0.1:7400" ? "" : " --api " + to_string(endpoints.grpc);
    std::printf("Lanyard is ready after %.1f s. All services run in this process; nothing is kept when it ends.\n\n",
                ready_s);
    std::printf("  CoAP (devices)  coap://%s\n", to_string(endpoints.coap).c_str());
    std::printf("  gRPC (you)      %s\n", to_string(endpoints.grpc).c_str());
    std::printf("  Kafka           %s\n", endpoints.kafka.c_str());
    std::printf("  metrics         http://%s/metrics\n\n", to_string(endpoints.metrics).c_str());
    std::printf("Try in another terminal:\n");
    std::printf("  kcat -b %s -C -t lwm2m.telemetry.v1 -o beginning\n", endpoints.kafka.c_str());
    std::printf("  build/release/bin/lanyard%s devices list\n", api.c_str());
    if (arguments.fleet > 0) {
        std::printf("  build/release/bin/lanyard%s read sensor-0000001 /3303/0\n\n", api.c_str());
    } else {
        std::printf("  build/release/bin/lanyard simulate --count 100 --target coap://%s\n\n",
                    to_string(endpoints.coap).c_str());
    }
    std::fflush(stdout);
}

// One line a second until the time is over or a signal comes; in place on a terminal.
void show_live(const DevPlatform& platform, const RecordCounter& counter, const Arguments& arguments,
               runtime::StopSignals& signals) {
    const bool terminal = ::isatty(STDOUT_FILENO) == 1;
    const auto started = std::chrono::steady_clock::now();
    const auto end =
        arguments.seconds > 0
            ? runtime::Deadline::in(std::chrono::milliseconds(static_cast<std::int64_t>(arguments.seconds * 1000)))
            : runtime::Deadline::never();
    std::uint64_t before = 0;
    while (!end.expired() && !signals.wait(std::min<Duration>(1s, end.remaining()))) {
        const auto seconds =
            std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - started);
        const std::uint64_t records = counter.count();
        std::printf("%s%4llds  devices %.0f  values/s %llu  records in Kafka %llu  last %s%s",
                    terminal ? "\r\033[K" : "", static_cast<long long>(seconds.count()),
                    gauge_sum(platform.metrics(), "lanyard_ingress_sessions"),
                    static_cast<unsigned long long>(records - before), static_cast<unsigned long long>(records),
                    describe(counter.last()).c_str(), terminal ? "" : "\n");
        std::fflush(stdout);
        before = records;
    }
    if (terminal) std::printf("\n");
}

int fail(const Error& error) {
    std::fprintf(stderr, "error: %s\n", error.message.c_str());
    return ExitCode::failed;
}

Result<DevOptions> parse(const Arguments& arguments) {
    DevOptions options;
    options.shards = arguments.shards;
    for (const auto& [text, target] : {std::pair{&arguments.coap, &options.coap},
                                       {&arguments.grpc, &options.grpc},
                                       {&arguments.kafka, &options.kafka},
                                       {&arguments.metrics, &options.metrics}}) {
        auto address = runtime::parse_address(*text);
        if (!address) return address.error();
        *target = *address;
    }
    return options;
}

int run_dev(const Arguments& arguments, runtime::StopSignals& signals) {
    const auto options = parse(arguments);
    if (!options) return fail(options.error());
    const auto level = telemetry::parse_level(arguments.log_level).value_or(telemetry::Level::warn);
    const telemetry::Logger log("dev", {.level = level, .format = telemetry::LogFormat::text});
    const auto begun = std::chrono::steady_clock::now();
    auto platform = DevPlatform::start(*options, log);
    if (!platform) return fail(platform.error());
    auto counter = RecordCounter::start((*platform)->endpoints().kafka, "lwm2m.telemetry.v1");
    if (!counter) return fail(counter.error());
    const std::chrono::duration<double> ready = std::chrono::steady_clock::now() - begun;
    print_welcome((*platform)->endpoints(), arguments, ready.count());
    if (!arguments.endpoints_file.empty() && !write_endpoints(arguments.endpoints_file, (*platform)->endpoints())) {
        return fail(make_error(Errc::invalid_argument, "cannot write " + arguments.endpoints_file));
    }
    std::optional<Fleet> fleet;
    if (arguments.fleet > 0) fleet.emplace((*platform)->endpoints().coap, arguments.fleet, arguments.interval_s);
    show_live(**platform, **counter, arguments, signals);
    const double devices = gauge_sum((*platform)->metrics(), "lanyard_ingress_sessions");
    const auto trouble = fleet ? fleet->stop() : std::nullopt;
    (*platform)->stop(runtime::Deadline::in(10s));
    std::printf("Ended: %.0f devices were registered, %llu values were read back from Kafka.\n", devices,
                static_cast<unsigned long long>((*counter)->count()));
    return trouble ? fail(*trouble) : static_cast<int>(ExitCode::ok);
}

}  // namespace

void add_dev_command(CLI::App& app, runtime::StopSignals& signals, Run& run) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* dev = app.add_subcommand("dev", "Runs the whole platform in this process, for trying out and developing");
    dev->add_option("--fleet", arguments->fleet, "Simulated temperature sensors that register at it")
        ->check(CLI::Range(std::size_t{0}, simulator::kMaxDevices))
        ->capture_default_str();
    dev->add_option("--seconds", arguments->seconds, "End by itself after so long (default: Ctrl-C)");
    dev->add_option("--interval", arguments->interval_s, "Seconds between two samples of a simulated sensor")
        ->check(CLI::Range(0.1, 86400.0))
        ->capture_default_str();
    dev->add_option("--endpoints-file", arguments->endpoints_file,
                    "Written as JSON (coap, grpc, kafka, metrics) when ready");
    dev->add_option("--coap", arguments->coap, "UDP address for devices; port 0 takes a free one")
        ->capture_default_str();
    dev->add_option("--grpc", arguments->grpc, "Address for gRPC; port 0 takes a free one")->capture_default_str();
    dev->add_option("--kafka", arguments->kafka, "Address at which clients find Kafka; port 0 takes a free one")
        ->capture_default_str();
    dev->add_option("--metrics", arguments->metrics, "Address of /metrics and /readyz; port 0 takes a free one")
        ->capture_default_str();
    dev->add_option("--shards", arguments->shards, "Ingress threads")->check(CLI::Range(1, 64))->capture_default_str();
    dev->add_option("--log-level", arguments->log_level, "debug, info, warn, error or off")->capture_default_str();
    dev->callback(
        [arguments, &signals, &run] { run = [arguments, &signals] { return run_dev(*arguments, signals); }; });
}

}  // namespace lanyard::cli
