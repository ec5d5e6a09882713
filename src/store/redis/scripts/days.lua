-- The rows of a name on some days, each day's as they were in one moment. KEYS: partition.
-- ARGV: name, bytes after which no further day is begun, then for each day: day, and the letters
-- `q` (with its quarters) and `s` (with its sketch), or none of them.
-- Answers how many days were looked at, then for each with rows {day, row, hour, row, hour, row, …}.
local name, most = ARGV[1], tonumber(ARGV[2])
local hash = code_hash(name)
local fields = hour_fields(every_hour(), name)
local found, bytes, i = {}, 0, 3
while i <= #ARGV and bytes < most do
  local day, wants = ARGV[i], ARGV[i + 1]
  local row = call('HGET', bucket_key(rows_of_day(day), hash), name)
  if row then
    if string.find(wants, 's', 1, true) then
      row = with_sketch(row, day, name, hash)
    else
      row = without_sketch(row)
    end
    local entry = { day, row }
    bytes = bytes + #row
    if string.find(wants, 'q', 1, true) then
      local hours = call('HMGET', bucket_key(rows_of_hours(day), hash), unpack(fields))
      for at, quarters in ipairs(hours) do
        if quarters then
          entry[#entry + 1], entry[#entry + 2] = string.char(at - 1), quarters
          bytes = bytes + #quarters
        end
      end
    end
    found[#found + 1] = entry
  end
  i = i + 2
end
return { (i - 3) / 2, found }
