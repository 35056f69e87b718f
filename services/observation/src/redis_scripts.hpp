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

// Everything of one kind of one device is one text: entries, each of them its length without itself (3 bytes), the
// length of its key (1), the key, an order (none, 6 or 10 bytes), the rest. `order` of these functions is how to read
// the order as numbers.
inline constexpr char kEntries[] = R"lua(
local call, read, sub, byte = redis.call, struct.unpack, string.sub, string.byte

local function each_entry(text, visit)
    local at = 1
    while at < #text do
        local length, klen = read('>I3B', text, at)
        visit(sub(text, at + 4, at + 3 + klen), at, at + 2 + length, at + 4 + klen)
        at = at + 3 + length
    end
end

-- The entries of `old` without those of the keys in `gone`, and those of `new`, which replace what is not higher.
local function merged(old, new, order, gone)
    if #old == 0 then return new end
    local parts, places, orders = {}, {}, {}
    each_entry(old, function(key, first, last, at)
        if gone[key] then return end
        parts[#parts + 1] = sub(old, first, last)
        places[key], orders[key] = #parts, {read(order, old, at)}
    end)
    each_entry(new, function(key, first, last, at)
        local was, is = orders[key], {read(order, new, at)}
        if was and (was[1] > is[1] or (was[1] == is[1] and #was > 2 and was[2] > is[2])) then return end
        places[key] = places[key] or #parts + 1
        parts[places[key]], orders[key] = sub(new, first, last), is
    end)
    return table.concat(parts)
end

local function store(key, field, text)
    if #text == 0 then call('HDEL', key, field) else call('HSET', key, field, text) end
end
)lua";

// KEYS: the group of each device. ARGV: field and new entries of each.
inline constexpr char kMergeLatest[] = R"lua(
for i, key in ipairs(KEYS) do
    local field, new = ARGV[2 * i - 1], ARGV[2 * i]
    store(key, field, merged(call('HGET', key, field) or '', new, '>I6', {}))
end
return 1
)lua";

// KEYS: group. ARGV: field, new entries, keys of entries to erase.
inline constexpr char kSaveStates[] = R"lua(
local gone = {}
for i = 3, #ARGV do gone[ARGV[i]] = true end
store(KEYS[1], ARGV[1], merged(call('HGET', KEYS[1], ARGV[1]) or '', ARGV[2], '>I4I6', gone))
return 1
)lua";

// KEYS: group. ARGV: field, id, entry, most per device. Gives 1 done, 0 exists, -1 too many.
inline constexpr char kAddOwn[] = R"lua(
local text = call('HGET', KEYS[1], ARGV[1]) or ''
local count, known = 0, false
each_entry(text, function(key)
    count, known = count + 1, known or key == ARGV[2]
end)
if known then return 0 end
if count >= tonumber(ARGV[4]) then return -1 end
call('HSET', KEYS[1], ARGV[1], text .. ARGV[3])
return 1
)lua";

// KEYS: group. ARGV: field, id. Gives 1 done, 0 none.
inline constexpr char kRemoveOwn[] = R"lua(
local text, left, removed = call('HGET', KEYS[1], ARGV[1]) or '', {}, 0
each_entry(text, function(key, first, last)
    if key == ARGV[2] then removed = 1 else left[#left + 1] = sub(text, first, last) end
end)
if removed == 1 then store(KEYS[1], ARGV[1], table.concat(left)) end
return removed
)lua";

}  // namespace lanyard::observation::scripts
