// The scripts that work on many devices in one call.
#include "redis_script_parts.hpp"
#include "redis_scripts.hpp"

namespace lanyard::registry::scripts {
namespace {

// Many devices in one call, so it has no prelude and calls Redis as rarely as it can: three times for each device that
// is known, and a few times for all of them.
constexpr const char* kRegister = R"lua(
local HEAD = '>BBI4I4I4I2I4I4I4I8I2I2'
local call, pack, read, sub, floor = redis.call, struct.pack, struct.unpack, string.sub, math.floor
-- Lua writes numbers as doubles, which costs more than all else about them.
local text = string.format
local REG, DEV = 'reg:' .. ARGV[1] .. ':', 'dev:' .. ARGV[1] .. ':'
local INDEX, RECORD = DEV .. 'i:', DEV .. 'r:'
local answers, heads, records, times, seqs, dues, seen, placed = {}, {}, {}, {}, {}, {}, {}, {}
local in_group, due_text, made, began = {}, {}, 0, 0
local full = call('LLEN', REG .. 'out') >= OUT_MAX

local function register(arg)
  if full then return pack('>B', 6) .. string.rep('\0', 23) end
  local flags, now_ms, lifetime, node, shard, bucket, klen, at = read('>BI8I4I4I2BI2', arg)
  local key = sub(arg, at, at + klen - 1)
  local index = text('%s%d', INDEX, bucket)
  local seq = tonumber(call('HGET', index, key) or nil)
  local rkey, field, ends, raw
  if seq then
    rkey, field = text('%s%d', RECORD, floor(seq / 64)), text('%d', seq % 64)
    local both = call('HMGET', rkey, 'e', field)
    ends, raw = both[1], both[2]
  end
  local generation, epoch, counter, revision, create, profile = 0, 0, 0, 1, now_ms, ''
  local was, former_node, former_shard, former_lifetime = 0, 0, 0, 0
  if raw then
    local version, old, old_klen, dlen, rest
    version, old, generation, epoch, former_node, former_shard, former_lifetime, counter, revision, create, old_klen,
      dlen, rest = read(HEAD, raw)
    if old % 2 == 0 then return pack('>B', 2) .. string.rep('\0', 23) end
    was = floor(old / 2) % 2
    if ends and ends ~= '' then
      local known = ends_of(ends)
      if has_ended(known, seq % 64) then
        was, counter = 0, counter + 1
        set_ended(known, seq % 64, false)
        call('HSET', rkey, 'e', ends_field(known))
      end
    end
    if dlen > 0 then profile = sub(raw, rest + old_klen, rest + old_klen + dlen - 1) end
  else
    if flags < 2 then return pack('>B', 2) .. string.rep('\0', 23) end
    if not seq then
      seq = call('INCR', REG .. 'seq')
      rkey, field = text('%s%d', RECORD, floor(seq / 64)), text('%d', seq % 64)
      call('HSET', index, key, text('%d', seq))
      ends = call('HGET', rkey, 'e')
    end
    made = made + 1
  end
  if was == 0 then began = began + 1 end
  generation, epoch = generation + 1, epoch + 1
  local record = pack(HEAD, 1, 3 + flags % 2 * 4, generation, epoch, node, shard, lifetime, counter + 1, revision,
    create, klen, #profile) .. key .. profile .. sub(arg, at + klen)
  if ends then
    call('HSET', rkey, field, record)
  else
    call('HSET', rkey, 'e', '', field, record)
  end
  if in_group[seq] then
    push_events(REG .. 'out', heads, records)
    heads, records, in_group = {}, {}, {}
  end
  in_group[seq] = true
  local h = #heads
  heads[h + 1], heads[h + 2], heads[h + 3], records[#records + 1] = 1, now_ms, seq, record
  local now_s = floor(now_ms / 1000)
  local due = lifetime > 0 and math.min(now_s + 2 * lifetime + 60, 4294967294) or 0
  due_text[due] = due_text[due] or text('%.0f', due)
  local n, i = #seqs + 1, #times
  seqs[n], dues[n], placed[n] = seq, due, was == 1 and former_lifetime > 0
  times[i + 1], times[i + 2], times[i + 3], times[i + 4] = 'SET', 'u32', text('#%d', 2 * seq), due_text[due]
  seen[n] = now_s
  return pack('>BI4I4I4I4BI4I2', 0, seq, generation, epoch, due, was, former_node, former_shard)
end

for i = 2, #ARGV do answers[i - 1] = register(ARGV[i]) end
if #seqs > 0 then
  local before, places = call('BITFIELD', REG .. 'due', unpack(times)), {}
  for i, due in ipairs(dues) do
    local old = before[i]
    if due > 0 and not (placed[i] and old > 0 and old <= due) then
      local bucket = bucket_of(due, seen[i])
      places[bucket] = (places[bucket] or '') .. pack('>I4', seqs[i])
    end
  end
  for bucket, place in pairs(places) do call('APPEND', REG .. 'at:' .. bucket, place) end
  if made > 0 then call('HINCRBY', REG .. 'count', 'devices', made) end
  if began > 0 then call('HINCRBY', REG .. 'count', 'registered', began) end
  push_events(REG .. 'out', heads, records)
end
return table.concat(answers)
)lua";

// Ends registrations by the hundred: a bit for each, and records are not written.
constexpr const char* kEnding = R"lua(
local call, pack, read, byte, floor = redis.call, struct.pack, struct.unpack, string.byte, math.floor
local tag, now_ms = ARGV[1], tonumber(ARGV[2])
local now_s, text = floor(now_ms / 1000), string.format
local REG, RECORD = 'reg:' .. tag .. ':', 'dev:' .. tag .. ':r:'
local heads, records = {}, {}

-- As text: Redis takes three times as long to write a number.
local FIELDS = setmetatable({}, {__index = function(known, slot)
  known[slot] = text('%d', slot)
  return known[slot]
end})

-- {record hash = {slot, ...}}
local function grouped(seqs)
  local groups = {}
  for _, seq in ipairs(seqs) do
    local slot = seq % 64
    local number = (seq - slot) / 64
    local group = groups[number]
    if not group then
      group = {}
      groups[number] = group
    end
    group[#group + 1] = slot
  end
  return groups
end

-- `decides(seq, record)`. Pledges stay: without a registration they mean nothing.
local function end_some(seqs, decides)
  for number, slots in pairs(grouped(seqs)) do
    local rkey, before = RECORD .. number, #records
    local fields = {}
    for i, slot in ipairs(slots) do fields[i] = FIELDS[slot] end
    local raws = call('HMGET', rkey, 'e', unpack(fields))
    local ends = ends_of(raws[1])
    for i, slot in ipairs(slots) do
      local raw, seq = raws[i + 1], number * 64 + slot
      if raw and (byte(raw, 2) or 0) % 4 >= 2 and not has_ended(ends, slot) and decides(seq, raw) then
        set_ended(ends, slot, true)
        local h = #heads
        heads[h + 1], heads[h + 2], heads[h + 3], records[#records + 1] = 4, now_ms, seq, raw
      end
    end
    if #records > before then call('HSET', rkey, 'e', ends_field(ends)) end
  end
end

local function finish()
  if #records > 0 then
    push_events(REG .. 'out', heads, records)
    call('HINCRBY', REG .. 'count', 'registered', -#records)
  end
  return #records
end
)lua";

constexpr const char* kExpire = R"lua(
local seqs, epochs = {}, {}
for i = 3, #ARGV, 2 do
  local seq = tonumber(ARGV[i])
  if not epochs[seq] then seqs[#seqs + 1] = seq end
  epochs[seq] = math.max(epochs[seq] or 0, tonumber(ARGV[i + 1]))
end
end_some(seqs, function(seq, raw) return read('>I4', raw, 7) == epochs[seq] end)
return finish()
)lua";

// Looks at up to `max` places of the buckets whose second has come. The cursor is (bucket, byte offset in it). Gives
// what has ended, 1 when there is more, and for how many seconds from now nothing falls due: a Register pledges at
// least 62 seconds and stands not more than a 64th before it.
constexpr const char* kExpireDue = R"lua(
local SPAN, CHUNK = 48, 1024  -- Lua passes at most 8000 words
local max, looked, steps = tonumber(ARGV[3]), 0, 0
local bucket, offset = now_s, 0
local cursor = call('GET', KEYS[1])
if cursor then bucket, offset = read('>I4I4', cursor) end
local function at_key(number) return REG .. 'at:' .. number end
local function has_come(number) return number <= now_s end
-- A string of u32.
local function numbers(packed)
  local out = {}
  for at = 1, #packed, 1024 do
    local part = {read('>' .. string.rep('I4', math.min(256, (#packed - at + 1) / 4)), packed, at)}
    for i = 1, #part - 1 do out[#out + 1] = part[i] end
  end
  return out
end
local function all_empty(first, count)
  local keys = {}
  for i = 1, count do keys[i] = at_key(first + i - 1) end
  return call('EXISTS', unpack(keys)) == 0
end

-- The pledges of sequences: as one string when they lie close together, otherwise one by one.
local function pledges(seqs)
  local first, last = seqs[1], seqs[1]
  for _, seq in ipairs(seqs) do
    if seq < first then first = seq elseif seq > last then last = seq end
  end
  local span = last - first + 1
  if span <= 16 * #seqs then
    local words = call('GETRANGE', REG .. 'due', 8 * first, 8 * (first + span) - 1)
    local all, dues = numbers(words .. string.rep('\0', 8 * span - #words)), {}
    for i, seq in ipairs(seqs) do dues[i] = all[2 * (seq - first) + 1] end
    return dues
  end
  local words = {}
  for i, seq in ipairs(seqs) do
    words[3 * i - 2], words[3 * i - 1], words[3 * i] = 'GET', 'u32', text('#%d', 2 * seq)
  end
  return call('BITFIELD', REG .. 'due', unpack(words))
end

-- A sequence may stand here more than once.
local function look_at(chunk)
  local seqs, over, later, moved = numbers(chunk), {}, {}, {}
  for i, due in ipairs(pledges(seqs)) do
    local seq = seqs[i]
    if due > now_s then
      local b = bucket_of(due, now_s)
      if not moved[seq] then later[b] = (later[b] or '') .. pack('>I4', seq) end
      moved[seq] = true
    elseif due > 0 then
      over[#over + 1] = seq
    end
  end
  for b, places in pairs(later) do call('APPEND', at_key(b), places) end
  end_some(over, function(_, raw) return read('>I4', raw, 17) > 0 end)
end

while looked < max and steps < 1024 and has_come(bucket) do
  steps = steps + 1
  if offset == 0 and has_come(bucket + SPAN - 1) and all_empty(bucket, SPAN) then
    bucket = bucket + SPAN
  else
    local chunk = call('GETRANGE', at_key(bucket), offset, offset + 4 * math.min(max - looked, CHUNK) - 1)
    if #chunk == 0 then
      if offset > 0 then call('DEL', at_key(bucket)) end
      bucket, offset = bucket + 1, 0
    else
      look_at(chunk)
      looked, offset = looked + #chunk / 4, offset + #chunk
    end
  end
end
local count, quiet = finish(), 0
call('SET', KEYS[1], pack('>I4I4', bucket, offset))
if has_come(bucket) then return {count, 1, 0} end
if all_empty(bucket, SPAN) then quiet = bucket + SPAN - now_s end
return {count, 0, quiet}
)lua";

}  // namespace

std::string register_devices(const StoreLimits& limits) {
    return kBuckets + outbox() + kEnds + outbox_max(limits) + kRegister;
}
std::string expire() {
    return kBuckets + outbox() + kEnds + kEnding + kExpire;
}
std::string expire_due() {
    return kBuckets + outbox() + kEnds + kEnding + kExpireDue;
}

}  // namespace lanyard::registry::scripts
