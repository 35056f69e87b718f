#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "lanyard/operations/v1/operation.pb.h"

namespace lanyard::cli {

// Turns what a person typed into a node of the resource's type: of `type` when given ("float", "integer",
// "unsigned", "boolean", "string", "opaque" in hex, "time" in Unix seconds, "objlnk"), else of the object's model.
[[nodiscard]] Result<operations::v1::Node> parse_typed_value(const std::string& path, const std::string& text,
                                                             const std::string& type);

}  // namespace lanyard::cli
