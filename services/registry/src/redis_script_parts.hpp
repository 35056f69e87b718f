#pragma once

#include <string>

#include "registry/device_store.hpp"

namespace lanyard::registry::scripts {

// Where a pledge stands: in the bucket of its own second when it is near, otherwise at the begin of a wider span before
// it, up to a 64th of the way and at most 4096 seconds wide. So devices with long lifetimes share keys; when the second
// of such a bucket has come, its entries move on to finer ones.
inline constexpr char kBuckets[] = R"lua(
local function bucket_of(due, now_s)
  local width, ahead = 1, (due - now_s) / 64
  while width < 4096 and width * 2 <= ahead do width = width * 2 end
  return math.floor(due / width) * width
end
)lua";

// Where OUT_MAX, the bound of an outbox, comes from.
inline std::string outbox_max(const StoreLimits& limits) {
    return "local OUT_MAX = " + std::to_string(limits.outbox_depth_max) + "\n";
}

}  // namespace lanyard::registry::scripts
