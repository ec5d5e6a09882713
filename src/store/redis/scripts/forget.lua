-- Removes all rows and the total of a link. KEYS: partition. ARGV: token, code, new mark.
-- Answers its total as it stood, or nothing; `!`: the counting is held.
local function erase(map, hash, fields)
  if map.count == 0 then return end
  removed(map, call('HDEL', bucket_key(map, hash), unpack(fields)))
  if map.holes < map.count then return finish(map) end
  -- Nothing is left.
  for bucket = 0, map.buckets - 1 do
    call('UNLINK', map.prefix .. string.format('%d', bucket))
  end
end

return once(ARGV[1], function()
  local p, code = KEYS[1], ARGV[2]
  if held() then return '!' end
  local hash, fields = code_hash(code), hour_fields(every_hour(), code)
  local days = call('GET', p .. 'y') or ''
  local totals = open(p .. 'c', code_hash)
  local total = call('HGET', bucket_key(totals, hash), code)
  call('SET', p .. 'v', ARGV[3])
  for at = 1, #days do
    local byte = string.byte(days, at)
    for bit = 0, byte > 0 and 7 or -1 do
      if math.floor(byte / 2 ^ (7 - bit)) % 2 == 1 then
        local day = string.format('%d', 8 * (at - 1) + bit)
        erase(rows_of_day(day), hash, { code })
        erase(sketches_of_day(day), hash, { code })
        erase(rows_of_hours(day), hash, fields)
      end
    end
  end
  -- The total goes last: after an error all of it is done again, and answered alike.
  if total then erase(totals, hash, { code }) end
  return total or ''
end)
