#include "telemetry/process_metrics.hpp"

#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <sys/resource.h>
#include <unistd.h>

#include "telemetry/build_info.hpp"

namespace lanyard::telemetry {
namespace {

// The fields of /proc/self/stat after the command name, which may hold spaces; [0] is field 3 (proc(5)).
struct ProcStat {
    double cpu_seconds = 0;
    double threads = 0;
    double start_ticks = 0;
    double virtual_bytes = 0;
    double resident_bytes = 0;
};

ProcStat read_stat() {
    std::ifstream file("/proc/self/stat");
    std::string text((std::istreambuf_iterator<char>(file)), {});
    const auto close = text.rfind(')');
    if (close == std::string::npos) return {};
    std::istringstream fields(text.substr(close + 1));
    std::string state;
    fields >> state;
    std::array<double, 21> values{};  // fields 4 to 24
    for (double& value : values) fields >> value;
    const auto field = [&](std::size_t number) { return values[number - 4]; };
    const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
    return {(field(14) + field(15)) / ticks, field(20), field(22), field(23),
            field(24) * static_cast<double>(sysconf(_SC_PAGESIZE))};
}

double start_time_seconds() {
    std::ifstream file("/proc/stat");
    for (std::string word; file >> word;) {
        double boot = 0;
        if (word == "btime" && file >> boot) {
            return boot + read_stat().start_ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
        }
    }
    return 0;
}

double open_descriptors() {
    std::error_code failed;
    double count = 0;
    for (auto it = std::filesystem::directory_iterator("/proc/self/fd", failed); !failed && it != end(it);
         it.increment(failed)) {
        ++count;
    }
    return count > 0 ? count - 1 : 0;  // without the one of the listing itself
}

double max_descriptors() {
    rlimit limit{};
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? static_cast<double>(limit.rlim_cur) : 0;
}

}  // namespace

std::vector<MetricRegistry::Callback> add_process_metrics(MetricRegistry& registry) {
    std::vector<MetricRegistry::Callback> out;
    const auto gauge = [&](std::string_view name, std::string_view help, std::function<double()> read) {
        out.push_back(registry.gauge_callback(name, help, {}, std::move(read)));
    };
    const BuildInfo build = build_info();
    registry
        .gauge("lanyard_build_info", "Always 1; the labels say what runs.",
               {{"version", build.version}, {"commit", build.commit}})
        .set(1);
    out.push_back(registry.seconds_callback("process_cpu_seconds_total", "CPU time used, user and system.", {},
                                            [] { return read_stat().cpu_seconds; }));
    gauge("process_resident_memory_bytes", "Memory in RAM.", [] { return read_stat().resident_bytes; });
    gauge("process_virtual_memory_bytes", "Address space in use.", [] { return read_stat().virtual_bytes; });
    gauge("process_threads", "Threads of the process.", [] { return read_stat().threads; });
    gauge("process_open_fds", "Open file descriptors.", open_descriptors);
    gauge("process_max_fds", "Allowed file descriptors.", max_descriptors);
    gauge("process_start_time_seconds", "Start of the process, seconds since the Unix epoch.",
          [start = start_time_seconds()] { return start; });
    return out;
}

}  // namespace lanyard::telemetry
