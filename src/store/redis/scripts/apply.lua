-- Puts the rows that a batch has changed and moves the journal's positions, or neither. KEYS:
-- partition. ARGV: node, clicks, the mark under which the rows were read, the new one, number of
-- moves, for each: lane, from, to; then for each day: day, when its hours and when its row expire
-- (Unix seconds; 0: never), number of names, for each: name, its hash, what to add to its total of
-- people and bots (nothing: it has none), hours as bytes, the day's row, its sketch if it stands
-- apart or nothing, the hours' rows.
-- Answers {0, {}} done, {1, {field, value, …}}: what stands at the node instead, {2, {}}: rows were
-- changed since they were read, or {3, {}}: the counting is held.
local p, moves = KEYS[1], tonumber(ARGV[5])
local progress, i = p .. 'n:' .. ARGV[1], 6 + 3 * moves
local adds = i <= #ARGV
local mark = adds and call('GET', p .. 'v') or ''
-- Sent twice because its answer was lost.
if adds and mark == ARGV[4] then return { 0, {} } end
local stands = elsewhere(progress, 6, moves)
if stands then return { 1, stands } end
if held() then return { 3, {} } end
if adds and mark ~= ARGV[3] then return { 2, {} } end

-- Before anything is written: an error does not undo what was.
local now = adds and tonumber(call('TIME')[1])
local totals = adds and open(p .. 'c', code_hash)

for at = 6, i - 1, 3 do call('HSET', progress, ARGV[at], ARGV[at + 2]) end
call('HINCRBY', progress, 'counted', ARGV[2])
if not adds then return { 0, {} } end
call('SET', p .. 'v', ARGV[4])
begin(totals)

-- A total is the number of people and, if there were any, a space and that of bots.
local function add_total(name, hash, people, bots)
  local old = call('HGET', bucket_key(totals, hash), name)
  if old then
    local space = string.find(old, ' ', 1, true)
    people = people + (space and string.sub(old, 1, space - 1) or old)
    bots = bots + (space and string.sub(old, space + 1) or 0)
  end
  local total = string.format('%.0f', people)
  if bots > 0 then total = total .. string.format(' %.0f', bots) end
  put(totals, hash, name, total)
end

-- The map, unless what is put into it has expired already.
local function open_until(map, ends)
  return (ends == 0 or ends > now) and begin(map, ends) or nil
end

-- A map that expires when another does, in one moment.
local function begin_beside(map, other)
  local fresh = map.count == 0
  begin(map, 0)
  local life = fresh and call('PTTL', other.prefix .. '0') or 0
  if life > 0 then call('PEXPIRE', map.prefix .. '0', life) end
  return map
end

while i <= #ARGV do
  local day, names = ARGV[i], tonumber(ARGV[i + 3])
  local days = open_until(rows_of_day(day), tonumber(ARGV[i + 2]))
  local hours = days and open_until(rows_of_hours(day), tonumber(ARGV[i + 1]))
  local sketches
  if days then note_day(day) end
  i = i + 4
  for _ = 1, names do
    local name, hash = ARGV[i], tonumber(ARGV[i + 1])
    local people, bots = tonumber(ARGV[i + 2]), tonumber(ARGV[i + 3])
    if people then add_total(name, hash, people, bots) end
    if days then put(days, hash, name, ARGV[i + 5]) end
    if days and ARGV[i + 6] ~= '' then
      sketches = sketches or begin_beside(sketches_of_day(day), days)
      put(sketches, hash, name, ARGV[i + 6])
    end
    local fields = hour_fields(ARGV[i + 4], name)
    if hours then
      for at, field in ipairs(fields) do put(hours, hash, field, ARGV[i + 6 + at]) end
    end
    i = i + 7 + #fields
  end
  if days then finish(days) end
  if sketches then finish(sketches) end
  if hours then finish(hours) end
end
finish(totals)
return { 0, {} }
