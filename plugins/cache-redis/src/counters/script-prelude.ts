/**
 * The Lua of the counters. Every script declares the same six keys of one tag (see `shard.ts`) and takes the caller's time as its
 * first argument.
 *
 * - `rows`: hash; `t` + key is the settled and held sum, `s` + key the settled one, `e` + key the expiry of a row that has one.
 * - `windows`: sorted set; key -> expiry of its row.
 * - `leases`: hash; id -> packed { state, expiresAt, settleUntil, note, rows, changes }. `rows` is flat: key, expiry, held, expected.
 *   States: `o` open, `s` settled (the id stays taken until expiry), `x` expired (to be settled late, or listed).
 * - `due`: sorted set; id -> when the state of its lease changes next.
 * - `holds`: sorted set without scores; row, its window, expiry and id of each open lease, so that the next expiry of a row is found at once.
 * - `unsettled`: sorted set; id -> expiry, of the leases that `expired` lists.
 *
 * Amounts are decimal text, added and compared in halves of 15 digits: a Lua number is a double and exact to 2^53 only. A script
 * reads, decides and then writes, so nothing is half done where Redis refuses the first write.
 */

/** Leases and windows that one script run works off at most; a run that leaves due leases behind says `again` and does nothing else. */
export const SWEEP_AT_ONCE = 200

/** What every script begins with: exact sums, rows, and the sweep, which ends the run with `again` where it did not get through. */
export const PRELUDE: string = `
local rows, windows, leases, due, holds, unsettled = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local now = tonumber(ARGV[1])
local DAY = 86400000

local function split(a)
  if #a < 16 then return 0, tonumber(a) end
  return tonumber(a:sub(1, -16)), tonumber(a:sub(-15))
end

local function join(high, low)
  if high == 0 then return string.format('%.0f', low) end
  return string.format('%.0f%015.0f', high, low)
end

local function add(a, b)
  local ah, al = split(a)
  local bh, bl = split(b)
  local high, low = ah + bh, al + bl
  if low >= 1e15 then high, low = high + 1, low - 1e15 end
  return join(high, low)
end

local function subtract(a, b)
  local ah, al = split(a)
  local bh, bl = split(b)
  local high, low = ah - bh, al - bl
  if low < 0 then high, low = high - 1, low + 1e15 end
  if high < 0 then return '0' end
  return join(high, low)
end

local function greater(a, b)
  if #a ~= #b then return #a > #b end
  return a > b
end

-- Until when a lease may be settled; without a time of its own that is its expiry, whatever that becomes.
local function settleableUntil(lease)
  local at = tonumber(lease[2])
  if lease[3] == '' then return at end
  return math.max(at, tonumber(lease[3]))
end

local function holder(key, window) return #key .. ':' .. key .. ':' .. window .. ':' end
local function hold(key, window, at, id) return holder(key, window) .. string.format('%015.0f', tonumber(at)) .. ':' .. id end

local function forget(id)
  redis.call('HDEL', leases, id)
  redis.call('ZREM', due, id)
  redis.call('ZREM', unsettled, id)
end

-- What is stored of a lease's rows: s, t and e of each.
local function stored(held)
  local fields = {}
  for at = 1, #held, 4 do
    local key = held[at]
    fields[#fields + 1] = 's' .. key
    fields[#fields + 1] = 't' .. key
    fields[#fields + 1] = 'e' .. key
  end
  if #fields == 0 then return {} end
  return redis.call('HMGET', rows, unpack(fields))
end

-- Whether a row is still that of the window in which the lease took it. Rows outlast their expiry until they are swept.
local function lasts(window, found, at)
  if window == '' then return not found end
  return found == window and tonumber(window) > at
end

-- Writes a row; one without an expiry that is back at zero goes.
local function put(key, window, settled, total)
  if window == '' and total == '0' then
    redis.call('HDEL', rows, 's' .. key, 't' .. key)
  else
    redis.call('HSET', rows, 's' .. key, settled, 't' .. key, total)
  end
end

local function drop(key)
  redis.call('HDEL', rows, 's' .. key, 't' .. key, 'e' .. key)
  redis.call('ZREM', windows, key)
end

local function expire(id, lease)
  local held, at, changes, charged = lease[5], tonumber(lease[2]), {}, false
  local found = stored(held)
  for i = 1, #held, 4 do
    local key, window, amount, expected = held[i], held[i + 1], held[i + 2], held[i + 3]
    local f = (i - 1) / 4 * 3
    local settled, total = found[f + 1] or '0', found[f + 2] or '0'
    redis.call('ZREM', holds, hold(key, window, lease[2], id))
    if expected ~= '0' then charged = true end
    if lasts(window, found[f + 3], at) then
      local after = add(settled, expected)
      put(key, window, after, add(subtract(total, amount), expected))
      changes[#changes + 1] = key
      changes[#changes + 1] = settled
      changes[#changes + 1] = after
    end
  end
  local keep = settleableUntil(lease)
  if charged then keep = keep + DAY end
  if keep <= at then return forget(id) end
  lease[1], lease[6] = 'x', changes
  redis.call('HSET', leases, id, cmsgpack.pack(lease))
  redis.call('ZADD', due, string.format('%.3f', keep), id)
  if charged then redis.call('ZADD', unsettled, lease[2], id) end
end

-- Works off what is due, in order of time. True where due leases are left.
local function sweep()
  local ids = redis.call('ZRANGEBYSCORE', due, '-inf', ARGV[1], 'LIMIT', 0, ${SWEEP_AT_ONCE})
  for _, id in ipairs(ids) do
    local packed = redis.call('HGET', leases, id)
    local lease = packed and cmsgpack.unpack(packed)
    if lease and lease[1] == 'o' then expire(id, lease) else forget(id) end
  end
  if #ids > 0 and #redis.call('ZRANGEBYSCORE', due, '-inf', ARGV[1], 'LIMIT', 0, 1) > 0 then return true end
  for _, key in ipairs(redis.call('ZRANGEBYSCORE', windows, '-inf', ARGV[1], 'LIMIT', 0, ${SWEEP_AT_ONCE})) do drop(key) end
  return false
end

if sweep() then return { 'again' } end
`
