#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/hash.hpp"

namespace lanyard::observation {

// Partition -> offset to read next.
using StreamPosition = std::map<std::int32_t, std::int64_t>;

// A resume token: the position, sealed with the cluster key for one parent (identity/sealed_token.hpp). For each
// partition its number (2 bytes) and offset (8).
[[nodiscard]] std::string seal_position(const SipKey& key, std::string_view parent, const StreamPosition& position);
// invalid_argument when it is not a token for this parent.
[[nodiscard]] Result<StreamPosition> open_position(const SipKey& key, std::string_view parent, std::string_view token);

}  // namespace lanyard::observation
