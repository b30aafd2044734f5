import { type Script, scriptOf } from '../run-script.ts'

/** How far ids leap when another server takes over: more than its clock may lag behind that of the one that is gone. */
const LEAP_MS = 60_000
/** Fields of the state that are no tags: genesis, last, floor, seen, hold, replid, nodes, confirmed. */
const FIELDS = 8
/** How long a deleted key stays on the table: longer than a replica that is promoted may lag behind, and so may have the entry still. */
const KEYS_MS = 600_000
/** Entries that a deletion brings back to who made it, which saves it the way by the reader; of many at once each would bring all. */
const ECHOED = 10
/** An inbox that nobody writes to goes. */
const INBOX_MS = 60_000

/**
 * What every script begins with. KEYS: log, state. ARGV: this node, a genesis to use where there is none, the length of a lease in ms,
 * the length of the log, the most tags.
 *
 * The state is one hash, so that an eviction takes all of it: a lost table must never look like an empty one. Each entry of the log
 * names the one before it (`p`), so that whoever reads knows whether anything is missing, whyever it is.
 *
 * `hold` is a time until when leases may be in force that the state does not tell of: after it was lost, after another server took
 * over (what was granted last may not have reached it), and after a leap of the server's clock, which shows in no script having run
 * for half a lease although every node renews four times in it.
 */
const PRELUDE = `
local LOG, STATE, ME, LEASE, LENGTH, MOST_TAGS = KEYS[1], KEYS[2], ARGV[1], tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local info = redis.pcall('INFO', 'replication')
local replid, replicas = '', 0
if type(info) == 'string' then
  replid = string.match(info, 'master_replid:(%x+)') or ''
  -- One at offset 0 has said nothing since it got the data, and is sent nothing before it does.
  for offset in string.gmatch(info, 'state=online,offset=(%d+)') do
    if offset ~= '0' then replicas = replicas + 1 end
  end
end
local was = redis.call('HMGET', STATE, '!genesis', '!last', '!seen', '!hold', '!replid', '!nodes')
local genesis, last = was[1], was[2] or '0-0'
local seen, hold = tonumber(was[3] or 0), tonumber(was[4] or 0)
local nodes = was[6] and cjson.decode(was[6]) or {}

local function msOf(id) return tonumber(string.match(id, '^%d+')) end
local function isOlder(one, other)
  if msOf(one) ~= msOf(other) then return msOf(one) < msOf(other) end
  return tonumber(string.match(one, '%d+$')) < tonumber(string.match(other, '%d+$'))
end
local function add(id, ...)
  last = redis.call('XADD', LOG, 'MAXLEN', '~', LENGTH, id, 'p', last, ...)
  return last
end

local lost = not genesis or redis.call('EXISTS', LOG) == 0
local turned = not lost and replid ~= '' and was[5] ~= replid
if lost then
  redis.call('DEL', STATE)
  genesis, last, nodes = ARGV[2], '0-0', {}
  add('*', 't', '!genesis', 'k', genesis)
  redis.call('HSET', STATE, '!genesis', genesis, '!floor', '0-0', '!nodes', '{}')
end
if turned then add(string.format('%.0f-0', math.max(now, msOf(last)) + ${LEAP_MS}), 't', '!turn', 'k', replid) end
if lost or turned or now < seen or now - seen > LEASE / 2 then hold = now + LEASE end
local function save() redis.call('HSET', STATE, '!last', last, '!seen', now, '!hold', hold, '!replid', replid) end
local function grant()
  for node, till in pairs(nodes) do
    if till <= now then nodes[node] = nil end
  end
  nodes[ME] = now + LEASE
  redis.call('HSET', STATE, '!nodes', cjson.encode(nodes))
end
`

/** Grants a lease and gives the whole state, as name and value. */
export const LOAD: Script = scriptOf(`${PRELUDE}
grant()
save()
return redis.call('HGETALL', STATE)
`)

/**
 * ARGV: position, most entries. Gives every entry behind the position and grants a lease, in one: whoever
 * has a lease has applied what was there when it was granted. `more` comes with no lease, `gap` with nothing.
 */
export const RENEW: Script = scriptOf(`${PRELUDE}
local from = ARGV[6]
save()
local behind = redis.call('XRANGE', LOG, '(' .. from, '+', 'COUNT', ARGV[7])
local reached = #behind > 0 and behind[#behind][1] or from
if reached == last then
  grant()
  return {'held', behind, replicas}
end
if #behind == 0 then return {'gap'} end
return {'more', behind}
`)

/** ARGV: type, key, whether there are bytes, the bytes; of each event. Gives the id of the last. */
export const APPEND: Script = scriptOf(`${PRELUDE}
for at = 6, #ARGV, 4 do
  if ARGV[at + 2] == '1' then add('*', 't', ARGV[at], 'k', ARGV[at + 1], 'd', ARGV[at + 3])
  else add('*', 't', ARGV[at], 'k', ARGV[at + 1]) end
end
save()
return last
`)

/**
 * ARGV: `tag` or `key`, its name, the node's position. Gives: id, genesis, replicas, ms until the hold is over, ms of each other lease
 * in force after the node's name, the first entries behind the position. Where the table is too long, keys that were deleted long ago go, and if
 * that is not enough a quarter of the rest, the oldest: then the floor rises, and what was stored before it counts as deleted.
 */
export const DELETE: Script = scriptOf(`${PRELUDE}
local id = add('*', 't', ARGV[6], 'k', ARGV[7], 'b', ME)
redis.call('HSET', STATE, (ARGV[6] == 'tag' and '=' or '#') .. ARGV[7], id)
if redis.call('HLEN', STATE) > MOST_TAGS + ${FIELDS} then
  local all, rest, sample = redis.call('HGETALL', STATE), {}, {}
  local long = string.format('%.0f-0', now - ${KEYS_MS})
  for at = 1, #all, 2 do
    local kind = string.sub(all[at], 1, 1)
    if kind == '#' and isOlder(all[at + 1], long) then redis.call('HDEL', STATE, all[at])
    elseif kind == '#' or kind == '=' then rest[#rest + 1] = {all[at], all[at + 1]} end
  end
  add('*', 't', '!keys', 'k', long)
  if #rest > MOST_TAGS * 3 / 4 then
    for at = 1, #rest, math.max(1, math.floor(#rest / 256)) do sample[#sample + 1] = rest[at][2] end
    table.sort(sample, isOlder)
    local floor = sample[math.ceil(#sample / 4)]
    for at = 1, #rest do
      if not isOlder(floor, rest[at][2]) then redis.call('HDEL', STATE, rest[at][1]) end
    end
    redis.call('HSET', STATE, '!floor', floor)
    add('*', 't', '!floor', 'k', floor)
  end
end
save()
local others = {}
for node, till in pairs(nodes) do
  if node ~= ME and till > now then
    others[#others + 1] = node
    others[#others + 1] = string.format('%.0f', math.min(till - now, LEASE))
  end
end
local held = string.format('%.0f', math.max(0, hold - now))
return {id, genesis, replicas, held, others, redis.call('XRANGE', LOG, '(' .. ARGV[8], '+', 'COUNT', ${ECHOED})}
`)

/** KEYS: log, state. ARGV: id, genesis. Whether this server has the entry; writes something, for WAIT to wait for. */
export const CONFIRM: Script = scriptOf(`
if redis.call('HGET', KEYS[2], '!genesis') ~= ARGV[2] then return 0 end
if #redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1]) == 0 then return 0 end
redis.call('HSET', KEYS[2], '!confirmed', ARGV[1])
return 1
`)

/** KEYS: inboxes. ARGV: node, id that it has applied. */
export const ACKNOWLEDGE: Script = scriptOf(`
for at = 1, #KEYS do
  redis.call('XADD', KEYS[at], 'MAXLEN', '~', 1000, '*', 'n', ARGV[1], 'i', ARGV[2])
  redis.call('PEXPIRE', KEYS[at], ${INBOX_MS})
end
return 1
`)

/** KEYS: state, inbox. ARGV: node. It has no lease any more. */
export const LEAVE: Script = scriptOf(`
local nodes = redis.call('HGET', KEYS[1], '!nodes')
if nodes then
  nodes = cjson.decode(nodes)
  nodes[ARGV[1]] = nil
  redis.call('HSET', KEYS[1], '!nodes', next(nodes) and cjson.encode(nodes) or '{}')
end
redis.call('DEL', KEYS[2])
return 1
`)
