#pragma once

#include <string>

#include "registry/device_store.hpp"

namespace lanyard::registry::scripts {

// Where a pledge stands: in the bucket of its own second when it is near, otherwise at the begin of a wider span before
// it, up to a 64th of the way and at most 4096 seconds wide. So devices with long lifetimes share keys; when the time
// of such a bucket is over, its entries move on to finer ones. A bucket lasts kExpiryStepSeconds.
inline constexpr char kBuckets[] = R"lua(
local BUCKET = 1
local function bucket_of(due, now_s)
  local width, ahead = BUCKET, (due - now_s) / 64
  while width < 4096 and width * 2 <= ahead do width = width * 2 end
  return math.floor(due / width) * width / BUCKET
end
)lua";

// Where OUT_MAX, the bound of an outbox, comes from.
inline std::string outbox_max(const StoreLimits& limits) {
    return "local OUT_MAX = " + std::to_string(limits.outbox_depth_max) + "\n";
}

}  // namespace lanyard::registry::scripts
