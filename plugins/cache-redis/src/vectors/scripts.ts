import { type Script, scriptOf } from '../run-script.ts'

/**
 * A version, higher than any that the partition had: of one that is empty it is kept until the clock is surely beyond it. Ids stand behind a colon, so that none
 * is taken for what else the hash has: `!v` the last version, `!d` the length of its vectors.
 */
const PRELUDE = `
local ITEMS, ORDER = KEYS[1], KEYS[2]
local time = redis.call('TIME')
local version = math.max(time[1] * 1000000 + time[2], (tonumber(redis.call('HGET', ITEMS, '!v')) or 0) + 1)
local digits = string.format('%016.0f', version)
local function drop(id)
  redis.call('ZREM', ORDER, id)
  return redis.call('HDEL', ITEMS, ':' .. id)
end
local function close()
  redis.call('HSET', ITEMS, '!v', digits)
  if redis.call('ZCARD', ORDER) > 0 then return end
  redis.call('HDEL', ITEMS, '!d')
  redis.call('PEXPIRE', ITEMS, 60000)
end
`

/**
 * Puts items. KEYS items, order; ARGV length of vectors, ms that the partition is to live at least or -1 for ever, most items, how many
 * are put, id and record of each, then ids that go. Gives the version, then ids that went for want of room; or the length that vectors
 * of the partition have.
 */
export const PUT: Script = scriptOf(`${PRELUDE}
local dimensions = redis.call('HGET', ITEMS, '!d')
local lives = redis.call('PTTL', ITEMS)
local puts = tonumber(ARGV[4])
if puts > 0 and dimensions and dimensions ~= ARGV[1] then return {'dimensions', dimensions} end
for at = 5 + puts * 2, #ARGV do drop(ARGV[at]) end
for at = 1, puts do
  local id = ARGV[3 + at * 2]
  redis.call('HSET', ITEMS, ':' .. id, digits .. ARGV[4 + at * 2])
  redis.call('ZADD', ORDER, version, id)
end
local gone = {digits}
local over = redis.call('ZCARD', ORDER) - tonumber(ARGV[3])
if over > 0 then
  local oldest = redis.call('ZPOPMIN', ORDER, over)
  for at = 1, #oldest, 2 do
    redis.call('HDEL', ITEMS, ':' .. oldest[at])
    gone[#gone + 1] = oldest[at]
  end
end
if puts > 0 then redis.call('HSET', ITEMS, '!d', ARGV[1]) end
close()
local wanted = tonumber(ARGV[2])
for _, key in ipairs(KEYS) do
  if puts > 0 and wanted < 0 then redis.call('PERSIST', key)
  elseif puts > 0 and (lives == -2 or (lives >= 0 and lives < wanted)) then redis.call('PEXPIRE', key, wanted)
  elseif puts > 0 and lives > 0 then redis.call('PEXPIRE', key, lives) end
end
return gone
`)

/** Deletes items. KEYS items, order; ARGV ids. Gives the version. */
export const DROP: Script = scriptOf(`${PRELUDE}
for at = 1, #ARGV do drop(ARGV[at]) end
close()
return digits
`)

/** Deletes items that have expired, unless they were put anew. KEYS items, order; ARGV id and version of each. */
export const SWEEP: Script = scriptOf(`${PRELUDE}
for at = 1, #ARGV, 2 do
  local there = redis.call('HGET', ITEMS, ':' .. ARGV[at])
  if there and string.sub(there, 1, 16) == ARGV[at + 1] then drop(ARGV[at]) end
end
close()
return 1
`)
