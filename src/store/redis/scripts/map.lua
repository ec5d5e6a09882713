-- Compact maps by linear hashing: see schema.rs. Put before every script that needs one.
local call = redis.call
local LOAD = 32

-- The bits of a code's SHA-1 that follow those which chose its partition.
local function code_hash(code)
  return tonumber(string.sub(redis.sha1hex(code), 9, 16), 16)
end

-- An address's name is a hash already; its first byte chose the partition.
local function address_hash(name)
  return (struct.unpack('>I4', name, 2))
end

-- What is counted stands in the first bucket under the empty name: the places there are, and after
-- a space those of them that are empty.
local function open(prefix, hash)
  local counted = call('HGET', prefix .. '0', '') or '0'
  local space = string.find(counted, ' ', 1, true)
  local holes = space and tonumber(string.sub(counted, space + 1)) or 0
  local count = tonumber(space and string.sub(counted, 1, space - 1) or counted)
  local buckets = math.floor(count / LOAD) + 1
  local level = 1
  while level * 2 <= buckets do level = level * 2 end
  return {
    prefix = prefix, hash = hash, buckets = buckets, level = level,
    count = count, holes = holes, stored_count = count, stored_holes = holes,
  }
end

local function bucket_of(map, hash)
  local bucket = hash % (2 * map.level)
  if bucket >= map.buckets then bucket = hash % map.level end
  return bucket
end

local function bucket_key(map, hash)
  return map.prefix .. string.format('%d', bucket_of(map, hash))
end

local function key_of(map, field)
  return bucket_key(map, map.hash(field))
end

-- Gives a bucket that has just come into being the life of the first one: a map that expires does
-- so as a whole, in one moment.
local function age(map, key)
  map.life = map.life or call('PTTL', map.prefix .. '0')
  if map.life > 0 then call('PEXPIRE', key, map.life) end
end

-- Moves what now belongs to a new last bucket out of the one bucket that it can be in.
local function split(map)
  local old = map.prefix .. string.format('%d', map.buckets - map.level)
  local new = map.prefix .. string.format('%d', map.buckets)
  map.buckets = map.buckets + 1
  local names = {}
  for _, field in ipairs(call('HKEYS', old)) do
    if field ~= '' and bucket_of(map, map.hash(field)) == map.buckets - 1 then
      names[#names + 1] = field
    end
  end
  if map.buckets == 2 * map.level then map.level = map.buckets end
  -- A few at a time: Lua can't pass on thousands of values at once.
  for first = 1, #names, 100 do
    local last = math.min(first + 99, #names)
    local values, moved = call('HMGET', old, unpack(names, first, last)), {}
    for i, value in ipairs(values) do
      moved[2 * i - 1], moved[2 * i] = names[first + i - 1], value
    end
    call('HSET', new, unpack(moved))
    call('HDEL', old, unpack(names, first, last))
  end
  if map.ages and #names > 0 then age(map, new) end
end

-- To be called before the first entry is put: the count then stands first in its bucket, where it
-- is found at once. `ends`, of maps that may expire: when a new one shall, in Unix seconds; 0: never.
local function begin(map, ends)
  map.ages = ends
  if map.count == 0 and call('HSETNX', map.prefix .. '0', '', '0') == 1 and (ends or 0) > 0 then
    call('EXPIREAT', map.prefix .. '0', string.format('%d', ends))
  end
  return map
end

-- To be called after each new entry. Places of removed entries are filled first, so that coming
-- and going does not make the map grow.
local function added(map)
  if map.holes > 0 then
    map.holes = map.holes - 1
    return
  end
  map.count = map.count + 1
  if map.count % LOAD == 0 then split(map) end
end

-- Puts an entry, new or in the place of an old one.
local function put(map, hash, field, value)
  local key = bucket_key(map, hash)
  if call('HSET', key, field, value) == 0 then return end
  if map.ages and call('HLEN', key) == 1 then age(map, key) end
  added(map)
end

local function removed(map, entries)
  map.holes = map.holes + (entries or 1)
end

-- To be called at the end.
local function finish(map)
  if map.count ~= map.stored_count or map.holes ~= map.stored_holes then
    local counted = string.format('%d', map.count)
    if map.holes > 0 then counted = counted .. string.format(' %d', map.holes) end
    call('HSET', map.prefix .. '0', '', counted)
  end
end

-- Enters a code in its owner's listing by when its link was made, in milliseconds, or right behind what
-- is younger and stands there already; and with the first one the owner among those that have one.
local newest = {}
local function list(p, owner, code, made)
  local stream = p .. 'o:' .. owner
  made = math.max(tonumber(made), 1)
  local last = newest[owner]
  if not last then
    local id = string.format('%d-*', made)
    local done = redis.pcall('XADD', stream, 'NOMKSTREAM', id, 'c', code)
    if type(done) == 'string' then return end
    call('SADD', p .. 'w', owner)
    if not done then return call('XADD', stream, string.format('%d-0', made), 'c', code) end
    -- It has, or once had, something younger: what was taken out of it still counts.
    local info, id = call('XINFO', 'STREAM', stream), nil
    for i = 1, #info, 2 do
      if info[i] == 'last-generated-id' then id = info[i + 1] end
    end
    local ms, seq = string.match(id, '^(%d+)-(%d+)$')
    last = { tonumber(ms), tonumber(seq) }
    newest[owner] = last
  end
  if made > last[1] then
    last[1], last[2] = made, 0
  else
    last[2] = last[2] + 1
  end
  call('XADD', stream, string.format('%d-%d', last[1], last[2]), 'c', code)
end

-- Answers a call that is sent twice, because its first answer was lost, like the first time. An
-- empty token: the connection never sends twice.
local function once(token, run)
  if token == '' then return run() end
  local key = KEYS[1] .. 'once:' .. token
  local known = call('GET', key)
  if known then return cmsgpack.unpack(known) end
  local answer = run()
  call('SET', key, cmsgpack.pack(answer), 'PX', 60000)
  return answer
end

-- Order by bytes. Lua's own `<` depends on the server's locale.
local function before(a, b)
  for i = 1, math.min(#a, #b) do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then return x < y end
  end
  return #a < #b
end
