import { type Script, scriptOf } from '../run-script.ts'

/** Server time in ms. */
const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`

/** Wakes each node that listens, once: ring(listeners, channel before the node's name, stream). */
const RING = `
local function ring(listeners, channel, stream)
  local rung = {}
  for _, member in ipairs(redis.call('ZRANGE', listeners, 0, -1)) do
    local node = string.match(member, '^[^/]+')
    if not rung[node] then
      rung[node] = true
      redis.call('PUBLISH', channel .. node, stream)
    end
  end
end
`

/** Stands in the place of who leads while a flight that ended well can still be read. */
const LANDED = 'landed'

/**
 * Takes the lead or listens. KEYS lead, listeners; ARGV epoch, lease ms, listener, its ms. Gives the epoch of who leads, and 1 where a
 * flight ended well of late.
 */
export const JOIN: Script = scriptOf(`${NOW}
local epoch = redis.call('GET', KEYS[1])
local landed = epoch == '${LANDED}' and 1 or 0
if epoch and landed == 0 then
  redis.call('ZADD', KEYS[2], now + ARGV[4], ARGV[3])
  redis.call('PEXPIRE', KEYS[2], ARGV[4] * 2)
  return {epoch, 0}
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('DEL', KEYS[2])
return {ARGV[1], landed}
`)

/**
 * Appends chunk number n, and renews the lease. KEYS lead, stream, listeners; ARGV epoch, lease ms, ms to keep, n, chunk, channel.
 * Gives 1, also where the chunk is there already, or 0 where the lead or a chunk before it is lost.
 */
export const APPEND: Script = scriptOf(`${RING}
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
local length = redis.call('XLEN', KEYS[2])
local n = tonumber(ARGV[4])
if length >= n then return 1 end
if length + 1 ~= n then return 0 end
redis.call('XADD', KEYS[2], ARGV[4] .. '-0', 'd', ARGV[5])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[2] + ARGV[3])
ring(KEYS[3], ARGV[6], KEYS[2])
return 1
`)

/**
 * Ends a flight. KEYS lead, stream, listeners; ARGV epoch, ms to keep, 'complete' or 'abandon', channel.
 * Gives 1, also where it has ended already, or 0 where the lead is lost.
 */
export const END: Script = scriptOf(`${RING}
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
  return last and last[2][1] == 'e' and 1 or 0
end
redis.call('XADD', KEYS[2], (redis.call('XLEN', KEYS[2]) + 1) .. '-0', 'e', ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
ring(KEYS[3], ARGV[4], KEYS[2])
redis.call('DEL', KEYS[3])
if ARGV[3] == 'complete' then redis.call('SET', KEYS[1], '${LANDED}', 'PX', ARGV[2]) else redis.call('DEL', KEYS[1]) end
return 1
`)

/** Renews a lease. KEYS lead, stream; ARGV epoch, lease ms, ms to keep. Gives 0 where the lead is lost. */
export const BEAT: Script = scriptOf(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[2] + ARGV[3])
return 1
`)

/** Counts listeners. KEYS lead, listeners; ARGV epoch. Gives -1 where the lead is lost. */
export const COUNT: Script = scriptOf(`${NOW}
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return -1 end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
return redis.call('ZCARD', KEYS[2])
`)

/**
 * Goes on listening. KEYS lead, stream, listeners; ARGV epoch, listener, its ms. Gives whether the leader still leads, and how many
 * chunks there are.
 */
export const WATCH: Script = scriptOf(`${NOW}
local length = redis.call('XLEN', KEYS[2])
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {0, length} end
redis.call('ZADD', KEYS[3], now + ARGV[3], ARGV[2])
redis.call('PEXPIRE', KEYS[3], ARGV[3] * 2)
return {1, length}
`)
