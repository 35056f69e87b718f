#pragma once

#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/secret.hpp"

namespace lanyard::identity {

// The key `cluster.key` of the configuration, under which ids and tokens are made: 32 hex digits, the same in every
// ingress, registry and observation process. invalid_argument names the key.
[[nodiscard]] Result<SipKey> parse_cluster_key(const Secret& text);

}  // namespace lanyard::identity
