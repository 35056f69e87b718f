#include "identity/resource_name.hpp"

#include <cstddef>
#include <cstdint>

namespace lanyard::identity {
namespace {

Error invalid(std::string message) {
    return make_error(Errc::invalid_argument, std::move(message));
}

// Length of the UTF-8 sequence that begins with `lead` (RFC 3629 section 4); 0 when none does.
std::size_t utf8_length(std::uint8_t lead) {
    if (lead < 0x80) return 1;
    if (lead >= 0xc2 && lead <= 0xdf) return 2;
    if (lead >= 0xe0 && lead <= 0xef) return 3;
    if (lead >= 0xf0 && lead <= 0xf4) return 4;
    return 0;
}

// Overlong forms and surrogates of three and four bytes are refused by their second byte.
bool second_byte_fits(std::uint8_t lead, std::uint8_t second) {
    switch (lead) {
        case 0xe0:
            return second >= 0xa0;
        case 0xed:
            return second <= 0x9f;
        case 0xf0:
            return second >= 0x90;
        case 0xf4:
            return second <= 0x8f;
        default:
            return true;
    }
}

bool is_utf8_without_controls(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        const auto lead = static_cast<std::uint8_t>(text[at]);
        const std::size_t length = utf8_length(lead);
        if (length == 0 || at + length > text.size() || lead < 0x20 || lead == 0x7f) return false;
        for (std::size_t i = 1; i < length; ++i) {
            const auto next = static_cast<std::uint8_t>(text[at + i]);
            if ((next & 0xc0) != 0x80 || (i == 1 && !second_byte_fits(lead, next))) return false;
        }
        at += length;
    }
    return true;
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
    if (!is_utf8_without_controls(endpoint)) {
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
