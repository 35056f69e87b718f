#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"

namespace lanyard::identity {

// "tenants/{tenant}/devices/{endpoint}" taken apart. Endpoints may hold any character but '/'.
struct DeviceName {
    std::string tenant;
    std::string endpoint;

    // "{tenant}/{endpoint}": Kafka key and partition key.
    [[nodiscard]] std::string key() const { return tenant + "/" + endpoint; }
    // "tenants/{tenant}/devices/{endpoint}".
    [[nodiscard]] std::string resource_name() const { return "tenants/" + tenant + "/devices/" + endpoint; }
    friend bool operator==(const DeviceName&, const DeviceName&) = default;
};

inline constexpr std::size_t kMaxTenantLength = 63;
inline constexpr std::size_t kMaxEndpointLength = 255;

// A tenant id is [a-z][a-z0-9-]{0,62}.
[[nodiscard]] Result<void> check_tenant(std::string_view tenant);
// An endpoint name is 1 to 255 bytes of UTF-8 without control characters and without '/'.
[[nodiscard]] Result<void> check_endpoint(std::string_view endpoint);
// "tenants/{tenant}" -> tenant.
[[nodiscard]] Result<std::string> parse_tenant_name(std::string_view name);
// "tenants/{tenant}/devices/{endpoint}".
[[nodiscard]] Result<DeviceName> parse_device_name(std::string_view name);
// "{tenant}/{endpoint}".
[[nodiscard]] Result<DeviceName> parse_device_key(std::string_view key);

}  // namespace lanyard::identity
