#pragma once

namespace lanyard::observation::scripts {

// KEYS: obs:spec. ARGV: encoded spec. Gives its number, or 0 when all are taken.
inline constexpr char kIntern[] = R"lua(
local known = redis.call('HGET', KEYS[1], '=' .. ARGV[1])
if known then return tonumber(known) end
local id = tonumber(redis.call('HGET', KEYS[1], 'n') or '0') + 1
if id > 65535 then return 0 end
redis.call('HSET', KEYS[1], 'n', id, id, ARGV[1], '=' .. ARGV[1], id)
return id
)lua";

// KEYS: obs:tpl. ARGV: field, record, "1" to replace, prefix of the tenant's fields, most per tenant.
// Gives 1 done, 0 exists, -1 too many.
inline constexpr char kPutTemplate[] = R"lua(
local old = redis.call('HGET', KEYS[1], ARGV[1])
if old and ARGV[3] ~= '1' then return 0 end
if old == ARGV[2] then return 1 end
if not old then
    local count = 0
    for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
        if string.sub(field, 1, #ARGV[4]) == ARGV[4] then count = count + 1 end
    end
    if count >= tonumber(ARGV[5]) then return -1 end
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('HINCRBY', KEYS[1], '#version', 1)
return 1
)lua";

// KEYS: obs:tpl. ARGV: field. Gives 1 done, 0 none.
inline constexpr char kDeleteTemplate[] = R"lua(
if redis.call('HDEL', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('HINCRBY', KEYS[1], '#version', 1)
return 1
)lua";

// KEYS: obs:{pN}:d:<number>. ARGV: field, record, most per device. Gives 1 done, 0 exists, -1 too many.
inline constexpr char kAddOwn[] = R"lua(
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then return 0 end
local count = 0
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
    if string.sub(field, 1, 2) == 'o:' then count = count + 1 end
end
if count >= tonumber(ARGV[3]) then return -1 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
)lua";

// KEYS: a hash of ordered records. ARGV: field, record, field, record, ... A record replaces one whose first 8
// bytes, big-endian, are not higher.
inline constexpr char kMerge[] = R"lua(
for i = 1, #ARGV, 2 do
    local old = redis.call('HGET', KEYS[1], ARGV[i])
    if not old or #old < 8 or struct.unpack('>i8', old) <= struct.unpack('>i8', ARGV[i + 1]) then
        redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
    end
end
return 1
)lua";

// KEYS: obs:{pN}:d:<number>. ARGV: field, record, field, record, ... A state replaces one whose generation and time,
// 8 bytes big-endian each, are not higher.
inline constexpr char kMergeStates[] = R"lua(
for i = 1, #ARGV, 2 do
    local old = redis.call('HGET', KEYS[1], ARGV[i])
    local newer = true
    if old and #old >= 16 then
        local was, was_since = struct.unpack('>i8i8', old)
        local is, is_since = struct.unpack('>i8i8', ARGV[i + 1])
        newer = was < is or (was == is and was_since <= is_since)
    end
    if newer then redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
end
return 1
)lua";

}  // namespace lanyard::observation::scripts
