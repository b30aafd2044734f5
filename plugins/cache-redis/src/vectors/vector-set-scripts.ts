import { type Script, scriptOf } from '../run-script.ts'

/** An element of a vector set has no expiry of its own: it is an attribute, and those that are over are swept. */
const PRELUDE = `
local SET, ORDER, PAYLOADS = KEYS[1], KEYS[2], KEYS[3]
local function drop(id)
  redis.call('VREM', SET, id)
  redis.call('ZREM', ORDER, id)
  redis.call('HDEL', PAYLOADS, id)
end
`

/**
 * Puts items. KEYS set, order, payloads; ARGV now, ms to live at least or -1, most items, how many are put, id, numbers, expiry and
 * payload behind a letter of each, then ids that go. Gives the length of the vectors that are there where it is another.
 */
export const SET_PUT: Script = scriptOf(`${PRELUDE}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', ORDER, '-inf', ARGV[1], 'LIMIT', 0, 200)) do drop(id) end
local puts = tonumber(ARGV[4])
local lives = redis.call('PTTL', SET)
for at = 5 + puts * 4, #ARGV do drop(ARGV[at]) end
for at = 5, 4 + puts * 4, 4 do
  local id, numbers, expiry, payload = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  local said = redis.pcall('VADD', SET, 'FP32', numbers, id, 'NOQUANT', 'SETATTR', '{"exp":' .. expiry .. '}')
  if type(said) == 'table' and said.err then
    local there = redis.pcall('VDIM', SET)
    if type(there) == 'number' and there * 4 ~= #numbers then return there end
    return said
  end
  redis.call('ZADD', ORDER, expiry, id)
  if string.sub(payload, 1, 1) == 'p' then redis.call('HSET', PAYLOADS, id, string.sub(payload, 2))
  else redis.call('HDEL', PAYLOADS, id) end
end
local over = redis.call('ZCARD', ORDER) - tonumber(ARGV[3])
if over > 0 then
  for _, id in ipairs(redis.call('ZRANGE', ORDER, 0, over - 1)) do drop(id) end
end
local wanted = tonumber(ARGV[2])
for _, key in ipairs(KEYS) do
  if puts > 0 and wanted < 0 then redis.call('PERSIST', key)
  elseif puts > 0 and lives ~= -1 then redis.call('PEXPIRE', key, math.max(lives, wanted)) end
end
return 0
`)

/** Deletes items. KEYS set, order, payloads; ARGV ids. */
export const SET_DROP: Script = scriptOf(`${PRELUDE}
for at = 1, #ARGV do drop(ARGV[at]) end
return 1
`)

/** Finds the nearest. KEYS set, order, payloads; ARGV numbers, count, now. Gives id, score and payload of each. */
export const SET_NEAREST: Script = scriptOf(`
local words = {'VSIM', KEYS[1], 'FP32', ARGV[1], 'WITHSCORES', 'COUNT', ARGV[2], 'EF', ARGV[4], 'FILTER', '.exp > ' .. ARGV[3], 'FILTER-EF', ARGV[5]}
local found = redis.call(unpack(words))
local matches = {}
for at = 1, #found, 2 do
  matches[#matches + 1] = found[at]
  matches[#matches + 1] = tostring(found[at + 1])
  matches[#matches + 1] = redis.call('HGET', KEYS[3], found[at])
end
return matches
`)
