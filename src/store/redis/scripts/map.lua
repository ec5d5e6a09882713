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

local function open(prefix, hash)
  local count = tonumber(call('HGET', prefix .. '0', '') or 0)
  local buckets = math.floor(count / LOAD) + 1
  local level = 1
  while level * 2 <= buckets do level = level * 2 end
  return {
    prefix = prefix, hash = hash, count = count, stored = count, buckets = buckets, level = level,
  }
end

local function bucket_of(map, hash)
  local bucket = hash % (2 * map.level)
  if bucket >= map.buckets then bucket = hash % map.level end
  return bucket
end

local function key_of(map, field)
  return map.prefix .. string.format('%d', bucket_of(map, map.hash(field)))
end

-- Moves what now belongs to a new last bucket out of the one bucket that it can be in.
local function split(map)
  local old = map.prefix .. string.format('%d', map.buckets - map.level)
  local new = map.prefix .. string.format('%d', map.buckets)
  map.buckets = map.buckets + 1
  local names = {}
  for _, field in ipairs(call('HKEYS', old)) do
    local counts = field == '' or field == ' '
    if not counts and bucket_of(map, map.hash(field)) == map.buckets - 1 then
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
end

-- To be called before the first entry is put: the count then stands first in its bucket, where it
-- is found at once.
local function begin(map)
  if map.count == 0 then call('HSETNX', map.prefix .. '0', '', '0') end
  return map
end

-- To be called after each new entry. Places of removed entries (counted under ' ') are filled
-- first, so that coming and going does not make the map grow.
local function added(map, holes)
  if holes then
    local left = tonumber(call('HGET', map.prefix .. '0', ' ') or 0)
    if left > 0 then
      call('HSET', map.prefix .. '0', ' ', string.format('%d', left - 1))
      return
    end
  end
  map.count = map.count + 1
  if map.count % LOAD == 0 then split(map) end
end

local function removed(map)
  call('HINCRBY', map.prefix .. '0', ' ', 1)
end

-- To be called at the end.
local function finish(map)
  if map.count ~= map.stored then
    call('HSET', map.prefix .. '0', '', string.format('%d', map.count))
  end
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
