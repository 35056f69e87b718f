#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "lwm2m/link_format.hpp"
#include "lwm2m/path.hpp"
#include "lwm2m/value.hpp"

namespace lanyard::lwm2m {

// The notification attributes of Core 1.2 section 7.3.2.
enum class AttributeName : std::uint8_t { pmin, pmax, gt, lt, st, epmin, epmax, edge, con, hqmax };

std::string_view to_string(AttributeName name);

// Attributes of one path, or a change of them. An empty optional is "not mentioned"; `unset` names those that a
// Write-Attributes removes (`?pmin`).
struct Attributes {
    std::optional<std::uint32_t> pmin{};   // seconds
    std::optional<std::uint32_t> pmax{};   // seconds
    std::optional<double> gt{};            // notify when crossed
    std::optional<double> lt{};            // notify when crossed
    std::optional<double> st{};            // notify on a change of at least this
    std::optional<std::uint32_t> epmin{};  // seconds
    std::optional<std::uint32_t> epmax{};  // seconds
    std::optional<bool> edge{};            // true: rising
    std::optional<bool> con{};             // true: confirmable notifications
    std::optional<std::uint32_t> hqmax{};  // records kept while offline
    std::vector<AttributeName> unset{};

    [[nodiscard]] bool empty() const;
    friend bool operator==(const Attributes&, const Attributes&) = default;
};

// Reads `pmin=10`, `pmin` (remove) and so on from Uri-Query options. invalid_argument: a bad number, a duplicate,
// an unknown name.
[[nodiscard]] Result<Attributes> parse_attributes(std::span<const std::string_view> query);

// The notification attributes of a link in a Discover answer. Others (dim, ver, ssid, …) are left out; values that
// are not numbers are invalid_argument.
[[nodiscard]] Result<Attributes> attributes_of(const Link& link);

// `change` on top of `current`.
[[nodiscard]] Attributes merge(Attributes current, const Attributes& change);

// Rules that a server checks before it sends: lt < gt, lt + 2 st < gt, st >= 0, epmin < epmax; gt, lt, st and edge
// only on a resource or resource instance, and edge only on a boolean, the others only on a number; all finite.
// pmin > pmax is legal: the device then ignores pmax. `type` none: not known, not checked.
// invalid_argument with the broken rule.
[[nodiscard]] Result<void> validate(const Attributes& attributes, const Path& path, ValueType type = ValueType::none);

// The Uri-Query options of a Write-Attributes, in the order of AttributeName, removals last.
[[nodiscard]] std::vector<std::string> to_query(const Attributes& attributes);

}  // namespace lanyard::lwm2m
