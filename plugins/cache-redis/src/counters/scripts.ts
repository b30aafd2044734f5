import { PRELUDE } from './script-prelude.ts'

/** Arguments: now, id, expiresAt, settleUntil or '', note or '' and else after a `=`; then key, amount, limit, expected, expiry of each row. */
export const RESERVE: string = `${PRELUDE}
local id, expiresAt = ARGV[2], ARGV[3]
if redis.call('HEXISTS', leases, id) == 1 then return { 'conflict' } end

local keys, place, fields = {}, {}, {}
for i = 6, #ARGV, 5 do
  local key = ARGV[i]
  if not place[key] then
    keys[#keys + 1] = key
    place[key] = #keys
    fields[#fields + 1] = 't' .. key
    fields[#fields + 1] = 'e' .. key
  end
end
local found = #fields > 0 and redis.call('HMGET', rows, unpack(fields)) or {}
local total, window, fresh, held = {}, {}, {}, {}
for p, key in ipairs(keys) do
  local t, e = found[2 * p - 1], found[2 * p]
  if e and tonumber(e) <= now then
    drop(key)
    t = false
  end
  total[p], fresh[p] = t or '0', not t
  if t then window[p] = e or '' end
end
for i = 6, #ARGV, 5 do
  local key, amount, limit, expected = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  local p = place[key]
  window[p] = window[p] or ARGV[i + 4]
  local sum = add(total[p], amount)
  if limit == '-' or limit ~= '' and greater(sum, limit) then
    local from = holder(key, window[p])
    local first = redis.call('ZRANGEBYLEX', holds, '[' .. from, '(' .. from .. ':', 'LIMIT', 0, 1)[1]
    return { 'refused', (i - 6) / 5, total[p], first and first:sub(#from + 1, #from + 15) or '' }
  end
  total[p] = sum
  local h = 4 * p - 3
  held[h], held[h + 1] = key, window[p]
  held[h + 2], held[h + 3] = add(held[h + 2] or '0', amount), add(held[h + 3] or '0', expected)
end

local reply, sets, members = { 'granted' }, {}, {}
for p, key in ipairs(keys) do
  sets[#sets + 1] = 't' .. key
  sets[#sets + 1] = total[p]
  if fresh[p] and window[p] ~= '' then
    sets[#sets + 1] = 'e' .. key
    sets[#sets + 1] = window[p]
    redis.call('ZADD', windows, window[p], key)
  end
  members[#members + 1] = 0
  members[#members + 1] = hold(key, window[p], expiresAt, id)
end
if #keys > 0 then
  redis.call('HSET', rows, unpack(sets))
  redis.call('ZADD', holds, unpack(members))
end
redis.call('HSET', leases, id, cmsgpack.pack({ 'o', expiresAt, ARGV[4], ARGV[5], held }))
redis.call('ZADD', due, expiresAt, id)
for i = 6, #ARGV, 5 do reply[#reply + 1] = total[place[ARGV[i]]] end
return reply
`

/** What settle and renew begin with: the lease, what was given for its keys, and a refusal of other keys. `FIRST` is set before. */
const GIVEN = `
local id = ARGV[2]
local packed = redis.call('HGET', leases, id)
local lease = packed and cmsgpack.unpack(packed)
if not lease or lease[1] == 's' then return { 'none' } end
if lease[1] == 'x' and (not LATE or settleableUntil(lease) <= now) then return { 'none' } end
local held, given, holding = lease[5], {}, {}
for i = 1, #held, 4 do holding[held[i]] = true end
for i = FIRST, #ARGV, 2 do
  if not holding[ARGV[i]] then return { 'foreign', ARGV[i] } end
  given[ARGV[i]] = ARGV[i + 1]
end
local found = stored(held)
`

/** Arguments: now, id; then key and true amount of each. */
export const SETTLE: string = `${PRELUDE}
local FIRST, LATE = 3, true
${GIVEN}
local reply = { 'settled' }
local late = lease[1] == 'x'
for i = 1, #held, 4 do
  local key, window = held[i], held[i + 1]
  local f = (i - 1) / 4 * 3
  local settled, total = found[f + 1] or '0', found[f + 2] or '0'
  if not late then redis.call('ZREM', holds, hold(key, window, lease[2], id)) end
  if lasts(window, found[f + 3], now) then
    local amount = given[key] or '0'
    local charged = late and held[i + 3] or '0'
    local after = add(subtract(settled, charged), amount)
    put(key, window, after, add(subtract(total, late and charged or held[i + 2]), amount))
    reply[#reply + 1] = key
    reply[#reply + 1] = settled
    reply[#reply + 1] = after
  end
end
if late then forget(id) else redis.call('HSET', leases, id, cmsgpack.pack({ 's', lease[2] })) end
return reply
`

/** Arguments: now, id, expiresAt or '', settleUntil or ''; then key and new amount of each. */
export const RENEW: string = `${PRELUDE}
local FIRST, LATE = 5, false
${GIVEN}
local before = lease[2]
local expiresAt = ARGV[3] ~= '' and ARGV[3] or before
if tonumber(expiresAt) <= now then return { 'passed' } end
for i = 1, #held, 4 do
  local key, window = held[i], held[i + 1]
  local f = (i - 1) / 4 * 3
  local amount = given[key]
  if amount then
    if lasts(window, found[f + 3], now) then
      put(key, window, found[f + 1] or '0', add(subtract(found[f + 2] or '0', held[i + 2]), amount))
    end
    held[i + 2] = amount
  end
  if expiresAt ~= before then
    redis.call('ZREM', holds, hold(key, window, before, id))
    redis.call('ZADD', holds, 0, hold(key, window, expiresAt, id))
  end
end
lease[2] = expiresAt
if ARGV[4] ~= '' then lease[3] = ARGV[4] end
redis.call('HSET', leases, id, cmsgpack.pack(lease))
redis.call('ZADD', due, expiresAt, id)
return { 'renewed' }
`

/** Arguments: now; then keys. */
export const READ: string = `${PRELUDE}
local fields, reply = {}, { 'read' }
for i = 2, #ARGV do
  fields[#fields + 1] = 't' .. ARGV[i]
  fields[#fields + 1] = 'e' .. ARGV[i]
end
local found = #fields > 0 and redis.call('HMGET', rows, unpack(fields)) or {}
for i = 1, #fields, 2 do
  local e = found[i + 1]
  reply[#reply + 1] = (not e or tonumber(e) > now) and found[i] or '0'
end
return reply
`

/** Arguments: now, most. Replies whether anything is left under the tag, then id, expiry, note and changes of each lease. */
export const EXPIRED: string = `${PRELUDE}
local reply = { 'expired', redis.call('EXISTS', rows, leases) > 0 and 'used' or 'empty' }
for _, id in ipairs(redis.call('ZRANGE', unsettled, 0, tonumber(ARGV[2]) - 1)) do
  local packed = redis.call('HGET', leases, id)
  if packed then
    local lease = cmsgpack.unpack(packed)
    reply[#reply + 1] = { id, lease[2], lease[4], lease[6] }
  end
end
return reply
`

/** Arguments: now; then ids. */
export const ACKNOWLEDGE: string = `${PRELUDE}
for i = 2, #ARGV do
  local id = ARGV[i]
  if redis.call('ZREM', unsettled, id) == 1 then
    local keep = settleableUntil(cmsgpack.unpack(redis.call('HGET', leases, id)))
    if keep > now then redis.call('ZADD', due, string.format('%.3f', keep), id) else forget(id) end
  end
end
return { 'acknowledged' }
`
