-- The first day with rows. KEYS: partition. ARGV: first day, the day after the last.
-- Answers the day, or -1.
local days, day, last = KEYS[1] .. 'y', tonumber(ARGV[1]), tonumber(ARGV[2])
while day < last do
  if day % 8 == 0 then
    -- Over the empty bytes in one leap.
    local set = call('BITPOS', days, 1, string.format('%d', day / 8))
    if set < 0 then return -1 end
    day = set
  end
  if day >= last then return -1 end
  local text = string.format('%d', day)
  -- The rows of a day may have expired.
  if call('GETBIT', days, text) == 1 and call('EXISTS', KEYS[1] .. 'd' .. text .. '.0') == 1 then
    return day
  end
  day = day + 1
end
return -1
