#include "runtime/common_config.hpp"

namespace lanyard::runtime {

void bind(Binder& binder, CommonConfig& config) {
    using namespace std::chrono_literals;
    using telemetry::Level;
    using telemetry::LogFormat;
    binder.enumeration("log.level", &config.log.level,
                       {{"debug", Level::debug},
                        {"info", Level::info},
                        {"warn", Level::warn},
                        {"error", Level::error},
                        {"off", Level::off}},
                       "Least important lines that are written to standard error.");
    binder.enumeration("log.format", &config.log.format, {{"json", LogFormat::json}, {"text", LogFormat::text}},
                       "json writes one object per line, for collectors; text is for people.");
    binder.address("admin.listen", &config.admin_listen,
                   "HTTP port for /metrics, /livez and /readyz. It has no authentication: keep it on loopback or in a "
                   "network of the operators.");
    binder.duration("shutdown.grace", &config.shutdown_grace, {0s, 1h},
                    "How long SIGTERM may take to finish what was begun; after that the process exits with code 3.");
}

}  // namespace lanyard::runtime
