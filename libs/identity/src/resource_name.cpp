#include "identity/resource_name.hpp"

#include <algorithm>

#include "base/utf8.hpp"

namespace lanyard::identity {
namespace {

Error invalid(std::string message) {
    return make_error(Errc::invalid_argument, std::move(message));
}

bool is_control(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

}  // namespace

Result<void> check_tenant(std::string_view tenant) {
    bool good = !tenant.empty() && tenant.size() <= kMaxTenantLength && tenant[0] >= 'a' && tenant[0] <= 'z';
    for (const char c : tenant) good = good && ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-');
    if (!good) return invalid("tenant must be [a-z][a-z0-9-]{0,62}");
    return {};
}

Result<void> check_endpoint(std::string_view endpoint) {
    if (endpoint.empty()) return invalid("endpoint name is empty");
    if (endpoint.size() > kMaxEndpointLength) {
        return invalid("endpoint name has " + std::to_string(endpoint.size()) + " bytes, at most 255 are taken");
    }
    if (endpoint.find('/') != std::string_view::npos) return invalid("endpoint name must not hold '/'");
    if (!is_utf8(endpoint) || std::any_of(endpoint.begin(), endpoint.end(), is_control)) {
        return invalid("endpoint name must be UTF-8 without control characters");
    }
    return {};
}

Result<std::string> parse_tenant_name(std::string_view name) {
    constexpr std::string_view kPrefix = "tenants/";
    if (!name.starts_with(kPrefix)) return invalid("expected \"tenants/{tenant}\", got \"" + std::string(name) + "\"");
    const std::string_view tenant = name.substr(kPrefix.size());
    if (auto good = check_tenant(tenant); !good) return good.error();
    return std::string(tenant);
}

Result<DeviceName> parse_device_name(std::string_view name) {
    constexpr std::string_view kMiddle = "/devices/";
    const std::size_t at = name.find(kMiddle);
    if (at == std::string_view::npos) {
        return invalid("expected \"tenants/{tenant}/devices/{endpoint}\", got \"" + std::string(name) + "\"");
    }
    auto tenant = parse_tenant_name(name.substr(0, at));
    if (!tenant) return tenant.error();
    const std::string_view endpoint = name.substr(at + kMiddle.size());
    if (auto good = check_endpoint(endpoint); !good) return good.error();
    return DeviceName{std::move(*tenant), std::string(endpoint)};
}

Result<DeviceName> parse_device_key(std::string_view key) {
    const std::size_t at = key.find('/');
    if (at == std::string_view::npos) return invalid("expected \"{tenant}/{endpoint}\"");
    if (auto good = check_tenant(key.substr(0, at)); !good) return good.error();
    if (auto good = check_endpoint(key.substr(at + 1)); !good) return good.error();
    return DeviceName{std::string(key.substr(0, at)), std::string(key.substr(at + 1))};
}

}  // namespace lanyard::identity
