#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "observation/types.hpp"

namespace lanyard::observation {

// A field that breaks a rule, by its name in the proto, and what is allowed.
struct BadField {
    std::string field;
    std::string description;
};

inline constexpr std::size_t kMaxTemplatePaths = 64;
inline constexpr std::size_t kMaxAttributes = 16;
inline constexpr std::size_t kMaxFilterBytes = 2048;

// Rules for templates and observations of a single device, the same for gRPC and the configuration.
[[nodiscard]] std::optional<BadField> check_template(const Template& entry);
[[nodiscard]] std::optional<BadField> check_own(const OwnObservation& own);
// [a-z][a-z0-9-]{0,62}.
[[nodiscard]] bool is_template_id(std::string_view id);

// "/3303/0/5700" -> "3303.0.5700", and back; the part of a resource name that stands for a path.
[[nodiscard]] std::string dotted(std::string_view path);

// "pmin=5" for each attribute, "pmin" for an empty value: the Uri-Query options of a Write-Attributes.
[[nodiscard]] std::vector<std::string> attribute_query(const AttributeMap& attributes);

}  // namespace lanyard::observation
