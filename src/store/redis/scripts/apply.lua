-- Adds a batch of clicks and moves the journal's positions, or neither. KEYS: partition.
-- ARGV: node, clicks, number of moves, for each: lane, from, to; then for each day: day, the
-- site's tally, number of rows, for each: code, tally, clicks.
-- Answers {0} done, or {1, field, value, …}: what stands at the node instead.
local p = KEYS[1]
local progress = p .. 'n:' .. ARGV[1]
local moves = tonumber(ARGV[3])
local last = 3 + 3 * moves

-- Positions are compared as text: they have more bits than a Lua number.
for i = 4, last, 3 do
  if (call('HGET', progress, ARGV[i]) or '0') ~= ARGV[i + 1] then
    local stands = call('HGETALL', progress)
    return { 1, unpack(stands) }
  end
end

local function add(a, b)
  local sum = a + b
  return sum > 4294967295 and 4294967295 or sum
end

-- Two tallies of the same day. Nearly always what is added is the current quarter.
local function merge(old, new)
  if not old then return new end
  local at, count = struct.unpack('>BI4', old, #old - 4)
  local first, more = struct.unpack('>BI4', new)
  if at < first then return old .. new end
  if at == first then
    return string.sub(old, 1, -6) .. struct.pack('>BI4', at, add(count, more)) .. string.sub(new, 6)
  end
  local out, i, j = {}, 1, 1
  while i <= #old or j <= #new do
    local a, n = 96, 0
    local b, m = 96, 0
    if i <= #old then a, n = struct.unpack('>BI4', old, i) end
    if j <= #new then b, m = struct.unpack('>BI4', new, j) end
    if a <= b then i = i + 5 end
    if b <= a then j = j + 5 end
    out[#out + 1] = struct.pack('>BI4', math.min(a, b), add(a <= b and n or 0, b <= a and m or 0))
  end
  return table.concat(out)
end

for i = 4, last, 3 do call('HSET', progress, ARGV[i], ARGV[i + 2]) end
call('HINCRBY', progress, 'counted', ARGV[2])

local totals = begin(open(p .. 'c', code_hash))
local i = last + 1
while i <= #ARGV do
  local day, rows = ARGV[i], tonumber(ARGV[i + 2])
  local month = string.format('%d', math.floor(day / 32))
  call('HSET', p .. 's' .. month, day, merge(call('HGET', p .. 's' .. month, day), ARGV[i + 1]))
  call('SADD', p .. 'y', month)
  local links = begin(open(p .. 'd' .. day .. '.', code_hash))
  i = i + 3
  for row = i, i + 3 * (rows - 1), 3 do
    local code, clicks = ARGV[row], ARGV[row + 2]
    local hash = code_hash(code)
    local key = links.prefix .. string.format('%d', bucket_of(links, hash))
    local old = call('HGET', key, code)
    call('HSET', key, code, merge(old, ARGV[row + 1]))
    if not old then added(links) end
    key = totals.prefix .. string.format('%d', bucket_of(totals, hash))
    -- Clicks are never zero: a sum that equals what was added is a new entry.
    local sum = call('HINCRBY', key, code, clicks)
    if sum == tonumber(clicks) then added(totals) end
  end
  finish(links)
  i = i + 3 * rows
end
finish(totals)
return { 0 }
