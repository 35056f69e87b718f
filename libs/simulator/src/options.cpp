#include "simulator/options.hpp"

#include <array>

#include "runtime/socket_address.hpp"

namespace lanyard::simulator {
namespace {

constexpr std::array kLoadKinds{LoadKind::updates, LoadKind::notifications, LoadKind::registrations, LoadKind::sends,
                                LoadKind::echo};
constexpr std::string_view kScheme = "coap://";

Error refuse(std::string message) {
    return make_error(Errc::invalid_argument, std::move(message));
}

bool is_share(double value) {
    return value >= 0 && value <= 1;
}

Result<void> validate_load(const LoadPhase& load) {
    if (load.window == 0 || load.window > kMaxWindow) return refuse("window: must be 1 to 65536");
    if (load.rate_per_s && !(*load.rate_per_s > 0)) return refuse("rate: must be above 0, or max");
    if (load.duration.count() <= 0) return refuse("seconds: a load must last longer than 0");
    return {};
}

}  // namespace

std::string_view to_string(LoadKind kind) {
    switch (kind) {
        case LoadKind::updates:
            return "updates";
        case LoadKind::notifications:
            return "notifications";
        case LoadKind::registrations:
            return "registrations";
        case LoadKind::sends:
            return "sends";
        case LoadKind::echo:
            return "echo";
    }
    return "unknown";
}

std::optional<LoadKind> load_kind_from(std::string_view name) {
    for (const LoadKind kind : kLoadKinds) {
        if (to_string(kind) == name) return kind;
    }
    return std::nullopt;
}

Result<void> validate(const SimulateOptions& options) {
    if (options.count == 0 || options.count > kMaxDevices) return refuse("count: must be 1 to 1000000");
    if (options.target.port == 0) return refuse("target: must name a port");
    const bool shared_socket = options.target.is_v4() && runtime::is_loopback(options.target);
    if (!shared_socket && options.count > kMaxSocketDevices) {
        return refuse("count: at most 2000 devices towards a target that is not 127.0.0.0/8");
    }
    if (!is_share(options.profile.non_share)) return refuse("non-share: must be 0 to 1");
    if (!is_share(options.profile.queue_mode_share)) return refuse("queue-share: must be 0 to 1");
    if (options.profile.update_from_percent == 0 || options.profile.update_to_percent > 100 ||
        options.profile.update_from_percent > options.profile.update_to_percent) {
        return refuse("update-after: must be FROM:TO with 1 <= FROM <= TO <= 100");
    }
    if (!(options.register_rate_per_s >= 0)) return refuse("register-rate: must be 0 or more");
    if (options.register_window == 0) return refuse("register-window: must be 1 or more");
    if (options.load) return validate_load(*options.load);
    return {};
}

Result<Address> parse_target(std::string_view uri) {
    std::string_view rest = uri;
    if (rest.starts_with(kScheme)) rest.remove_prefix(kScheme.size());
    if (rest.ends_with('/')) rest.remove_suffix(1);
    const bool has_port = rest.find("]:") != std::string_view::npos ||
                          (rest.find('[') == std::string_view::npos && rest.find(':') != std::string_view::npos);
    const Result<Address> address = runtime::parse_address(std::string(rest) + (has_port ? "" : ":5683"));
    if (!address) return refuse("target '" + std::string(uri) + "': must be coap://<IPv4 or [IPv6]>[:port]");
    return *address;
}

}  // namespace lanyard::simulator
