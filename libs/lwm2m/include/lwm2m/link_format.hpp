#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace lanyard::lwm2m {

// `;name` or `;name=value`; the value without quotes and escapes.
struct LinkAttribute {
    std::string name{};
    std::optional<std::string> value{};
    friend bool operator==(const LinkAttribute&, const LinkAttribute&) = default;
};

// One link of a CoRE link-format document (RFC 6690 section 2): `<target>;attribute;attribute`.
struct Link {
    // What stands between the angle brackets, not decoded. Empty for the legacy first element of a
    // Bootstrap-Discover answer, `lwm2m="1.0"`, which has no target.
    std::string target{};
    bool has_target = true;
    std::vector<LinkAttribute> attributes{};

    // The first attribute of that name with a value, or null.
    [[nodiscard]] const std::string* value_of(std::string_view name) const;
    [[nodiscard]] bool has(std::string_view name) const;
    friend bool operator==(const Link&, const Link&) = default;
};

// Reads a document. Taken although not in the grammar, as real devices send it: spaces around separators, unquoted
// values with any character but `,` `;` `"`, a first element without target, an empty document.
// invalid_argument: a document that is not UTF-8 (RFC 6690 section 2.2), so that its parts may stand in any text
// field; with the offset: a missing comma or bracket, an open quote, control characters. too_large: over limits.hpp.
[[nodiscard]] Result<std::vector<Link>> parse_links(std::string_view text);

// Writes a document that parse_links reads back. Values are quoted unless they are a plain number or version.
[[nodiscard]] std::string write_links(std::span<const Link> links);

}  // namespace lanyard::lwm2m
