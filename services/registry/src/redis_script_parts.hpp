#pragma once

namespace lanyard::registry::scripts {

// Where a pledge stands: in the bucket of its own two seconds when it is near, otherwise at the begin of a wide span
// before it, up to an eighth of the way and at most 4096 seconds wide. So devices with long lifetimes share few keys;
// when the time of such a bucket is over, its entries move on to finer ones. BUCKET is kExpiryStepSeconds.
inline constexpr char kBuckets[] = R"lua(
local BUCKET = 2
local function bucket_of(due, now_s)
  local width, ahead = BUCKET, (due - now_s) / 8
  while width < 4096 and width * 2 <= ahead do width = width * 2 end
  return math.floor(due / width) * width / BUCKET
end
)lua";

}  // namespace lanyard::registry::scripts
