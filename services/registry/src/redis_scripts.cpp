#include "redis_scripts.hpp"

#include "redis_script_parts.hpp"

namespace lanyard::registry::scripts {
namespace {

// The record's header is packed by one format string; the rest is key, profile and
// registration (docs/redis.md).
constexpr const char* kPrelude = R"lua(
local HEAD = '>BBI4I4I4I2I4I4I4I8I2I2'
local tag, now_ms = ARGV[1], tonumber(ARGV[2])
local now_s = math.floor(now_ms / 1000)
local DUE, OUT, COUNT = 'reg:' .. tag .. ':due', 'reg:' .. tag .. ':out', 'reg:' .. tag .. ':count'

local function record_key(seq) return 'dev:' .. tag .. ':r:' .. math.floor(seq / 64) end
local function at_key(bucket) return 'reg:' .. tag .. ':at:' .. bucket end
-- Pledge and last sign of life.
local function times(seq)
  local v = redis.call('GETRANGE', DUE, seq * 8, seq * 8 + 7)
  if #v < 8 then v = v .. string.rep('\0', 8 - #v) end
  local due, seen = struct.unpack('>I4I4', v)
  return due, seen
end
local function set_times(seq, due, seen) redis.call('SETRANGE', DUE, seq * 8, struct.pack('>I4I4', due, seen)) end

local function parse(raw)
  local d, flags, klen, dlen, at = {}, 0, 0, 0, 0
  d.version, flags, d.generation, d.epoch, d.node, d.shard, d.lifetime, d.counter, d.revision, d.create,
    klen, dlen, at = struct.unpack(HEAD, raw)
  d.enabled, d.registered, d.queue = flags % 2 == 1, math.floor(flags / 2) % 2 == 1, math.floor(flags / 4) % 2 == 1
  d.key = string.sub(raw, at, at + klen - 1)
  d.profile = string.sub(raw, at + klen, at + klen + dlen - 1)
  d.registration = string.sub(raw, at + klen + dlen)
  return d
end
local function load(seq)
  local slot = seq % 64
  local ends, raw = unpack(redis.call('HMGET', record_key(seq), 'e', slot))
  if not raw then return nil end
  local d = parse(raw)
  if has_ended(ends_of(ends), slot) then d.registered, d.counter = false, d.counter + 1 end
  return d
end
local function compose(d)
  local flags = (d.enabled and 1 or 0) + (d.registered and 2 or 0) + (d.queue and 4 or 0)
  return struct.pack(HEAD, 1, flags, d.generation, d.epoch, d.node, d.shard, d.lifetime, d.counter, d.revision,
    d.create, #d.key, #d.profile) .. d.key .. d.profile .. d.registration
end
local function save(seq, d)
  local key, slot, raw = record_key(seq), seq % 64, compose(d)
  local ends = ends_of(redis.call('HGET', key, 'e'))
  set_ended(ends, slot, false)
  redis.call('HSET', key, 'e', ends_field(ends), slot, raw)
  return raw
end
local function forget(seq)
  local key, slot = record_key(seq), seq % 64
  redis.call('HDEL', key, slot)
  if redis.call('HLEN', key) == redis.call('HEXISTS', key, 'e') then
    redis.call('DEL', key)
  else
    local ends = ends_of(redis.call('HGET', key, 'e'))
    set_ended(ends, slot, false)
    redis.call('HSET', key, 'e', ends_field(ends))
  end
end
local function emit(event, seq, raw) push_events(OUT, {event, now_ms, seq}, {raw}) end
-- For scripts that begin with OUT_MAX.
local function full() return redis.call('LLEN', OUT) >= OUT_MAX end
local function count(field, by) redis.call('HINCRBY', COUNT, field, by) end

-- A registered device with a lifetime stands in a bucket not later than its pledge's; the bucket is checked against
-- the pledge when its time comes, so a pledge that is only raised needs no new place.
local function heard(seq, placed, old, due)
  set_times(seq, due, now_s)
  if due == 0 then return end
  if placed and old > 0 and old <= due then return end
  redis.call('APPEND', at_key(bucket_of(due, now_s)), struct.pack('>I4', seq))
end
local function pledge(lifetime)
  if lifetime == 0 then return 0 end
  return math.min(now_s + 2 * lifetime + 60, 4294967294)
end
local function answer(seq, raw, was, node, shard)
  local due, seen = times(seq)
  return {0, seq, raw, due, seen, was and 1 or 0, node or 0, shard or 0}
end
)lua";

// StoredRegistration has fewer than 16 fields of wire types 0 and 2, so a tag is one byte.
constexpr const char* kMerge = R"lua(
local function each_field(raw, visit)
  local at = 1
  while at <= #raw do
    local first, tag_byte = at, string.byte(raw, at)
    at = at + 1
    local value, scale = 0, 1
    repeat
      local b = string.byte(raw, at) or 0
      value, scale, at = value + (b % 128) * scale, scale * 128, at + 1
    until b < 128
    if tag_byte % 8 == 2 then at = at + value end
    visit(tag_byte, string.sub(raw, first, at - 1))
  end
end
local function merge(old, delta)
  local have, out = {}, {delta}
  each_field(delta, function(t) have[t] = true end)
  each_field(old, function(t, bytes) if not have[t] then out[#out + 1] = bytes end end)
  return table.concat(out)
end
-- Whether it is a device of the tenant and its registration holds the field; '' is any.
local function belongs(d, tenant, field)
  if tenant ~= '' and string.sub(d.key, 1, #tenant + 1) ~= tenant .. '/' then return false end
  local found = field == ''
  if not found then each_field(d.registration, function(_, bytes) found = found or bytes == field end) end
  return found
end
)lua";

constexpr const char* kUpdate = R"lua(
local seq = tonumber(ARGV[3])
local d = load(seq)
if not d or not d.registered or d.generation ~= tonumber(ARGV[4]) then return {1} end
if d.epoch ~= tonumber(ARGV[5]) then return {3} end
if ARGV[9] == '1' and full() then return {6} end
local placed = d.lifetime > 0
if ARGV[6] ~= '' then d.lifetime = tonumber(ARGV[6]) end
if ARGV[7] ~= '' then d.queue = ARGV[7] == '1' end
if ARGV[8] ~= '' then d.registration = merge(d.registration, ARGV[8]) end
heard(seq, placed, (times(seq)), pledge(d.lifetime))
if ARGV[9] == '1' then d.counter = d.counter + 1 end
local raw = save(seq, d)
if ARGV[9] == '1' then emit(2, seq, raw) end
return answer(seq, raw, true, d.node, d.shard)
)lua";

constexpr const char* kDeregister = R"lua(
local seq, generation = tonumber(ARGV[3]), tonumber(ARGV[4])
local d = load(seq)
if not d or not d.registered or (generation ~= 0 and d.generation ~= generation) then return {1} end
if not belongs(d, ARGV[5], ARGV[6]) then return {1} end
d.registered, d.counter = false, d.counter + 1
count('registered', -1)
set_times(seq, 0, now_s)
local raw = save(seq, d)
emit(3, seq, raw)
return answer(seq, raw, true, d.node, d.shard)
)lua";

constexpr const char* kAdopt = R"lua(
local seq, generation = tonumber(ARGV[3]), tonumber(ARGV[4])
local d = load(seq)
if not d or not d.registered or (generation ~= 0 and d.generation ~= generation) then return {1} end
if not belongs(d, ARGV[8], ARGV[9] == '1' and ARGV[7] or '') then return {1} end
local former_node, former_shard, placed = d.node, d.shard, d.lifetime > 0
d.epoch, d.node, d.shard = d.epoch + 1, tonumber(ARGV[5]), tonumber(ARGV[6])
d.registration = merge(d.registration, ARGV[7])
local old = times(seq)
heard(seq, placed, old, math.max(old, pledge(d.lifetime)))
return answer(seq, save(seq, d), true, former_node, former_shard)
)lua";

// Without the prelude: somebody waits for a look-up, and half of the time that it took Redis went into making the
// prelude's functions.
constexpr const char* kGetByKey = R"lua(
local seq = redis.call('HGET', KEYS[1], ARGV[2])
)lua";
constexpr const char* kGetBySequence = R"lua(
local seq = ARGV[2]
)lua";
constexpr const char* kGet = R"lua(
if not seq then return {1} end
seq = tonumber(seq)
local ends, raw = unpack(redis.call('HMGET', 'dev:' .. ARGV[1] .. ':r:' .. math.floor(seq / 64), 'e', seq % 64))
if not raw then return {1} end
if ends and ends ~= '' then
)lua";
constexpr const char* kGetEnded = R"lua(
  if has_ended(ends_of(ends), seq % 64) then raw = ended_record(raw) end
end
local times = redis.call('GETRANGE', 'reg:' .. ARGV[1] .. ':due', seq * 8, seq * 8 + 7)
local due, seen = struct.unpack('>I4I4', times .. string.rep('\0', 8 - #times))
return {0, seq, raw, due, seen, 0, 0, 0}
)lua";

constexpr const char* kList = R"lua(
local last = tonumber(redis.call('GET', KEYS[1]) or '0')
local seq, max, hops, out = tonumber(ARGV[3]) + 1, tonumber(ARGV[4]), 0, {0}
local function at(packed, index)
  if #packed < index * 4 then return 0 end
  return (struct.unpack('>I4', packed, index * 4 - 3))
end
while seq <= last and (#out - 1) / 4 < max and hops < 64 do
  hops = hops + 1
  local to = math.min(math.floor(seq / 64) * 64 + 63, last, seq + max - (#out - 1) / 4 - 1)
  local fields = {'e'}
  for q = seq, to do fields[#fields + 1] = q % 64 end
  local raws = redis.call('HMGET', record_key(seq), unpack(fields))
  local ends = ends_of(raws[1])
  local known = redis.call('GETRANGE', DUE, seq * 8, to * 8 + 7)
  for i = 1, #fields - 1 do
    local raw, n = raws[i + 1], #out
    if raw then
      if has_ended(ends, fields[i + 1]) then raw = ended_record(raw) end
      out[n + 1], out[n + 2], out[n + 3], out[n + 4] = seq + i - 1, raw, at(known, 2 * i - 1), at(known, 2 * i)
    end
  end
  seq = to + 1
end
if seq <= last then out[1] = seq - 1 end
return out
)lua";

constexpr const char* kCreate = R"lua(
local key = ARGV[3]
if redis.call('HGET', KEYS[1], key) then return {4} end
if full() then return {6} end
local seq = redis.call('INCR', KEYS[2])
redis.call('HSET', KEYS[1], key, seq)
count('devices', 1)
local raw = save(seq, {enabled = ARGV[4] == '1', registered = false, generation = 0, epoch = 0, node = 0, shard = 0,
  lifetime = 0, counter = 1, revision = 1, create = now_ms, key = key, profile = ARGV[5], registration = ''})
emit(5, seq, raw)
return answer(seq, raw)
)lua";

constexpr const char* kModify = R"lua(
local seq = tonumber(redis.call('HGET', KEYS[1], ARGV[3]) or '0')
local d = load(seq)
if not d then return {1} end
if d.revision ~= tonumber(ARGV[4]) then return {5} end
if full() then return {6} end
d.enabled, d.profile, d.revision, d.counter = ARGV[5] == '1', ARGV[6], d.revision + 1, d.counter + 1
local raw = save(seq, d)
emit(6, seq, raw)
return answer(seq, raw)
)lua";

constexpr const char* kRemove = R"lua(
local seq = tonumber(redis.call('HGET', KEYS[1], ARGV[3]) or '0')
local d = load(seq)
if not d then return {1} end
if ARGV[4] ~= '' and d.revision ~= tonumber(ARGV[4]) then return {5} end
if d.registered then count('registered', -1) end
d.registered, d.counter = false, d.counter + 1
count('devices', -1)
local raw = compose(d)
redis.call('HDEL', KEYS[1], ARGV[3])
forget(seq)
emit(7, seq, raw)
local last = answer(seq, raw)
set_times(seq, 0, 0)
return last
)lua";

constexpr const char* kTrim = R"lua(
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('LTRIM', KEYS[2], tonumber(ARGV[2]), -1)
return 1
)lua";

constexpr const char* kTakeLease = R"lua(
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[2] then return holder end
redis.call('SET', KEYS[1], ARGV[1])
return ARGV[1]
)lua";

constexpr const char* kRelease = R"lua(
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
)lua";

// By the clock of Redis, so that the clocks of replicas do not matter.
constexpr const char* kHeartbeat = R"lua(
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. (now - tonumber(ARGV[2])))
local added = redis.call('ZADD', KEYS[1], now, ARGV[1])
local answer = redis.call('ZRANGE', KEYS[1], 0, -1)
table.insert(answer, 1, added)
return answer
)lua";

// A number once given never comes again, also when Redis lost its data but the ingress knows its own.
// The former life of an instance keeps its name, without an address: what it did may not be published yet. The one
// before it is forgotten.
constexpr const char* kRegisterNode = R"lua(
local known, number = redis.call('HGET', KEYS[1], 'i:' .. ARGV[1]), tonumber(ARGV[3])
if number == 0 or known ~= tostring(number) then
  if known then
    local before = redis.call('HGET', KEYS[1], 'f:' .. ARGV[1])
    if before then redis.call('HDEL', KEYS[1], before) end
    redis.call('HSET', KEYS[1], known, ARGV[1] .. '\n', 'f:' .. ARGV[1], known)
  end
  if number > tonumber(redis.call('HGET', KEYS[1], 'next') or '0') then redis.call('HSET', KEYS[1], 'next', number) end
  number = redis.call('HINCRBY', KEYS[1], 'next', 1)
  redis.call('HSET', KEYS[1], 'i:' .. ARGV[1], number)
end
redis.call('HSET', KEYS[1], number, ARGV[1] .. '\n' .. ARGV[2])
return number
)lua";

std::string with_prelude(const char* body) {
    return kBuckets + outbox() + kEnds + kPrelude + body;
}
std::string with_merge(const char* body) {
    return kBuckets + outbox() + kEnds + kPrelude + kMerge + body;
}

}  // namespace

std::string update(const StoreLimits& limits) {
    return outbox_max(limits) + with_merge(kUpdate);
}
std::string deregister() {
    return with_merge(kDeregister);
}
std::string adopt() {
    return with_merge(kAdopt);
}
std::string get_by_key() {
    return std::string(kGetByKey) + kGet + kEnds + kGetEnded;
}
std::string get_by_sequence() {
    return std::string(kGetBySequence) + kGet + kEnds + kGetEnded;
}
std::string list() {
    return with_prelude(kList);
}
std::string create(const StoreLimits& limits) {
    return outbox_max(limits) + with_prelude(kCreate);
}
std::string modify(const StoreLimits& limits) {
    return outbox_max(limits) + with_prelude(kModify);
}
std::string remove() {
    return with_prelude(kRemove);
}
std::string trim() {
    return kTrim;
}
std::string take_lease() {
    return kTakeLease;
}
std::string release() {
    return kRelease;
}
std::string heartbeat() {
    return kHeartbeat;
}
std::string register_node() {
    return kRegisterNode;
}

}  // namespace lanyard::registry::scripts
