-- The rows of the tallies, three maps a UTC day: see schema.rs. Put after map.lua.

-- A field is the hour as a byte, then the name: all hours of a name share a bucket.
local function hour_hash(field)
  return code_hash(string.sub(field, 2))
end

local function rows_of_day(day)
  return open(KEYS[1] .. 'd' .. day .. '.', code_hash)
end

local function sketches_of_day(day)
  return open(KEYS[1] .. 's' .. day .. '.', code_hash)
end

-- A day's row to the end of its breakdowns, as the three bytes in front say, and its sketch: within
-- it, or apart. Lua hashes each text that it is given, byte by byte, so what is long and seldom asked
-- for stands elsewhere.
local function without_sketch(row)
  local high, middle, low = string.byte(row, 1, 3)
  local length = high * 65536 + middle * 256 + low
  return length < #row and string.sub(row, 1, length) or row
end

local function with_sketch(row, day, name, hash)
  local high, middle, low = string.byte(row, 1, 3)
  if high * 65536 + middle * 256 + low < #row then return row end
  return row .. (call('HGET', bucket_key(sketches_of_day(day), hash), name) or '')
end

local function rows_of_hours(day)
  return open(KEYS[1] .. 'h' .. day .. '.', hour_hash)
end

-- The fields of a name's hours, which are given as bytes.
local function hour_fields(hours, name)
  local fields = {}
  for i = 1, #hours do fields[i] = string.sub(hours, i, i) .. name end
  return fields
end

-- All hours of a day, as bytes.
local function every_hour()
  local hours = {}
  for hour = 0, 23 do hours[hour + 1] = string.char(hour) end
  return table.concat(hours)
end

-- Whether the counting is held: see hold.lua.
local function held()
  return call('EXISTS', KEYS[1] .. 'hold') == 1
end

-- Notes that there are rows of this day, and forgets the first days if theirs have expired.
local function note_day(day)
  local days = KEYS[1] .. 'y'
  if call('SETBIT', days, day, 1) == 1 then return end
  local first = call('BITPOS', days, 1)
  while first >= 0 and call('EXISTS', KEYS[1] .. 'd' .. first .. '.0') == 0 do
    call('SETBIT', days, first, 0)
    first = call('BITPOS', days, 1)
  end
end
