#pragma once

#include <cstddef>
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

// The events of one call go to the outbox in groups (docs/redis.md), at most one event of each device in a group.
// `heads` holds event, time and sequence for each record. Redis's Lua hashes every byte of each string that it makes,
// and its calls are dear: so records go as the strings they are already, and numbers are packed for a whole group at
// once.
inline constexpr std::size_t kOutboxGroupMax = 128;
inline std::string outbox() {
    return "local GROUP_MAX = " + std::to_string(kOutboxGroupMax) + R"lua(
local function push_events(out, heads, records)
  if #records == 1 then
    redis.call('RPUSH', out, struct.pack('>BBI8I4', 3, unpack(heads)) .. records[1])
    return
  end
  for first = 1, #records, GROUP_MAX do
    local last = math.min(first + GROUP_MAX - 1, #records)
    local count = last - first + 1
    redis.call('RPUSH', out,
      struct.pack('>BI2' .. string.rep('BI8I4', count), 2, count, unpack(heads, 3 * first - 2, 3 * last)),
      unpack(records, first, last))
  end
end
)lua";
}

// Field 'e' of a record hash has a bit for each slot. A set bit says that the registration in the record has ended by
// silence: the device is not registered, and its event counter is one more than in the record. The field is empty when
// no bit is set; in scripts it is a table of eight bytes. It is the first field of its hash, where it is found at once.
inline constexpr char kEnds[] = R"lua(
local BIT = {1, 2, 4, 8, 16, 32, 64, 128}
local function ends_of(field)
  local bytes = {string.byte(field or '', 1, 8)}
  for i = #bytes + 1, 8 do bytes[i] = 0 end
  return bytes
end
local function has_ended(ends, slot)
  local bit = BIT[slot % 8 + 1]
  return ends[(slot - slot % 8) / 8 + 1] % (2 * bit) >= bit
end
local function set_ended(ends, slot, ended)
  local i = (slot - slot % 8) / 8 + 1
  if has_ended(ends, slot) ~= ended then ends[i] = ends[i] + (ended and 1 or -1) * BIT[slot % 8 + 1] end
end
local function ends_field(ends)
  for i = 1, 8 do
    if ends[i] ~= 0 then return string.char(unpack(ends)) end
  end
  return ''
end
-- The record as it is after that.
local function ended_record(raw)
  local _, flags = string.byte(raw, 1, 2)
  return string.char(1, flags - 2) .. string.sub(raw, 3, 20) ..
    struct.pack('>I4', struct.unpack('>I4', raw, 21) + 1) .. string.sub(raw, 25)
end
)lua";

// Where OUT_MAX, the bound of an outbox, comes from.
inline std::string outbox_max(const StoreLimits& limits) {
    return "local OUT_MAX = " + std::to_string(limits.outbox_depth_max) + "\n";
}

}  // namespace lanyard::registry::scripts
