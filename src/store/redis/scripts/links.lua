-- A stretch of the links clicked on a day, each with what it had in one moment. KEYS: partition.
-- ARGV: day, `1` with its quarters or `0`, bytes of each row, number of classes or 0, first class.
-- Answers the number of classes, the class to go on from (0: that was all), then name and row for
-- each, then hour and name, and row for each.
--
-- Names are taken by classes of their hash, so that each comes with its hours though the two maps
-- have different buckets: those of one class are whole buckets of either, because the number of
-- classes divides the number of hashes that a bucket stands for. That stays so as maps grow.
local bytes, class = tonumber(ARGV[3]), tonumber(ARGV[5])
local days, hours = rows_of_day(ARGV[1]), ARGV[2] == '1' and rows_of_hours(ARGV[1]) or nil
local classes = tonumber(ARGV[4])
if classes == 0 then
  classes = days.level
  if hours and hours.count > 0 then classes = math.min(classes, hours.level) end
end

local seen = 0
-- Adds the rows of a class whose names, from this byte of the field on, are those of links.
local function gather(map, from, found)
  for bucket = class, map.buckets - 1, classes do
    local entries = call('HGETALL', map.prefix .. string.format('%d', bucket))
    for i = 1, #entries, 2 do
      local first = string.byte(entries[i], from)
      if first and first ~= 58 then -- a colon: no link's
        found[#found + 1] = entries[i]
        found[#found + 1] = string.sub(entries[i + 1], 1, bytes)
      end
    end
    seen = seen + 1
  end
end

local whole, quarters = {}, {}
repeat
  gather(days, 1, whole)
  if hours then gather(hours, 2, quarters) end
  class = class + 1
until class >= classes or seen >= 8 -- buckets: some hundred rows
return { classes, class < classes and class or 0, whole, quarters }
