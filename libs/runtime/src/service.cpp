#include "runtime/service.hpp"

#include <cstdio>
#include <fstream>
#include <optional>

#include <CLI/CLI.hpp>

#include "runtime/admin_http.hpp"
#include "runtime/common_config.hpp"
#include "runtime/lifecycle.hpp"
#include "runtime/signals.hpp"
#include "runtime/socket_address.hpp"
#include "telemetry/build_info.hpp"
#include "telemetry/process_metrics.hpp"

namespace lanyard::runtime {
namespace {

struct Options {
    ConfigSources sources;
    std::string endpoints_file;
    bool check = false;
    bool print = false;
    bool print_effective = false;
};

std::string version_text(const std::string& name) {
    const auto build = telemetry::build_info();
    return "lanyard-" + name + " " + std::string(build.version) + " (" + std::string(build.commit) + ")";
}

// The exit code if the program ends here (help, version, bad usage).
std::optional<int> parse(int argc, char** argv, const ServiceDescriptor& descriptor, Options& options) {
    CLI::App app(descriptor.summary, "lanyard-" + descriptor.name);
    app.add_option("--config", options.sources.file, "YAML file with the configuration")->type_name("FILE");
    app.add_option("--set", options.sources.sets, "Overrides one key, as --set log.level=debug; may be repeated")
        ->type_name("KEY=VALUE")
        ->expected(1)
        ->take_all();
    app.add_option("--endpoints-file", options.endpoints_file,
                   "Write the listening addresses there as JSON once started")
        ->type_name("FILE");
    app.add_flag("--check-config", options.check, "Check the configuration and exit");
    app.add_flag("--print-config", options.print, "Print the documented defaults as YAML and exit");
    app.add_flag("--print-effective-config", options.print_effective, "Print the values in force, secrets hidden");
    app.set_version_flag("--version", version_text(descriptor.name));
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& end) {
        return app.exit(end) == 0 ? 0 : kExitBadUsage;
    }
    return std::nullopt;
}

int refuse(const ServiceDescriptor& descriptor, const Error& error) {
    std::fprintf(stderr, "lanyard-%s: configuration refused: %s\n", descriptor.name.c_str(), error.message.c_str());
    return kExitBadUsage;
}

Result<void> load(Schema& schema, const ServiceDescriptor& descriptor, const Options& options) {
    if (auto loaded = schema.load(options.sources); !loaded) return loaded;
    return descriptor.validate ? descriptor.validate() : Result<void>();
}

// Whole or not at all, so that a watcher never reads half a file.
Result<void> write_endpoints(const std::string& name, const Service& service, const Address& admin) {
    const std::string temporary = name + ".new";
    std::ofstream file(temporary);
    file << "{\"admin\": \"" << to_string(admin) << '"';
    for (const Port& port : service.ports()) file << ", \"" << port.name << "\": \"" << to_string(port.address) << '"';
    file << "}\n";
    file.close();
    if (!file || std::rename(temporary.c_str(), name.c_str()) != 0) {
        return make_error(Errc::unavailable, "--endpoints-file " + name + ": cannot be written");
    }
    return {};
}

// Everything a running process owns, in the order of its making.
class Process {
  public:
    Process(const ServiceDescriptor& descriptor, const CommonConfig& config, StopSignals& signals)
        : config_(config),
          signals_(signals),
          log_(descriptor.name, config.log),
          process_metrics_(telemetry::add_process_metrics(metrics_)),
          admin_({config.admin_listen}, log_, metrics_) {
        health_.log_changes(log_);
        admin_.add_health(descriptor.name, health_);
    }

    int run(const ServiceDescriptor& descriptor, const Schema& schema, const std::string& endpoints_file) {
        const auto build = telemetry::build_info();
        log_.info("starting", {{"version", build.version}, {"commit", build.commit}});
        for (const std::string& warning : schema.warnings()) log_.warn(warning);
        if (auto started = start(descriptor, endpoints_file); !started) {
            log_.error("start failed", {{"reason", started.error().message}});
            return kExitStartFailed;
        }
        log_.info("started", {{"ready", health_.ready()}, {"admin", to_string(admin_.local())}});
        drain(signals_.wait());
        return 0;
    }

  private:
    Result<void> start(const ServiceDescriptor& descriptor, const std::string& endpoints_file) {
        auto made = descriptor.make({log_, metrics_, health_});
        if (!made) return made.error();
        service_ = std::move(*made);
        if (auto listening = admin_.start(); !listening) return listening;
        Service* const services[] = {service_.get()};
        if (auto started = start_all(services, config_.shutdown_grace, log_); !started) return started;
        return endpoints_file.empty() ? Result<void>() : write_endpoints(endpoints_file, *service_, admin_.local());
    }

    void drain(const std::string& reason) {
        log_.info("stopping", {{"reason", reason}, {"grace", format_duration(config_.shutdown_grace)}});
        const Deadline deadline = Deadline::in(config_.shutdown_grace);
        // A drain that ends at its deadline, as it should, is not forced out.
        const ExitGuard guard(Deadline::in(config_.shutdown_grace + std::chrono::seconds(1)), signals_, log_);
        Service* const services[] = {service_.get()};
        drain_all(services, deadline, log_);
        service_.reset();
        admin_.stop(deadline);
        log_.info("stopped");
    }

    const CommonConfig& config_;
    StopSignals& signals_;
    telemetry::Logger log_;
    telemetry::MetricRegistry metrics_;
    std::vector<telemetry::MetricRegistry::Callback> process_metrics_;
    HealthBoard health_;
    AdminServer admin_;
    std::unique_ptr<Service> service_;
};

}  // namespace

int run_service_main(int argc, char** argv, ServiceDescriptor descriptor) {
    Options options;
    if (const auto code = parse(argc, argv, descriptor, options)) return *code;

    CommonConfig common;
    common.admin_listen.port = descriptor.admin_port;
    Schema schema;
    Binder binder = schema.binder();
    bind(binder, common);
    descriptor.bind(binder);
    if (options.print) {
        std::fputs(schema.to_yaml_with_docs().c_str(), stdout);
        return 0;
    }
    options.sources.environment = ConfigSources::process_environment();
    if (auto loaded = load(schema, descriptor, options); !loaded) return refuse(descriptor, loaded.error());
    if (options.print_effective) std::fputs(schema.effective().c_str(), stdout);
    if (options.check) std::fputs("configuration ok\n", stdout);
    if (options.check || options.print_effective) return 0;

    StopSignals signals;  // before the first thread
    return Process(descriptor, common, signals).run(descriptor, schema, options.endpoints_file);
}

}  // namespace lanyard::runtime
