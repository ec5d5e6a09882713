-- Puts a link's new record in the place of the old one. KEYS: partition.
-- ARGV: token, code, old record, new record, milliseconds, channel, message, the old owner and the old
-- milliseconds, the new owner or nothing if that is the same, number of tags it loses, those tags,
-- tags it gets. Answers 1 done, 0 changed.
return once(ARGV[1], function()
  local p, code = KEYS[1], ARGV[2]
  local key = key_of(open(p .. 'l', code_hash), code)
  if call('HGET', key, code) ~= ARGV[3] then return 0 end
  -- Said first: to have told of a change that is then refused does no harm, the other way round does.
  -- Nobody hears it before the script is over.
  call('PUBLISH', ARGV[6], ARGV[7])
  call('HSET', key, code, ARGV[4])
  if ARGV[10] ~= '' then
    -- It stands where it was made, or behind what was younger when it was imported.
    local stream, found = p .. 'o:' .. ARGV[8], false
    local from = string.format('%d', math.max(tonumber(ARGV[9]), 1))
    repeat
      local entries = call('XRANGE', stream, from, '+', 'COUNT', 256)
      for _, entry in ipairs(entries) do
        found = found or entry[2][2] == code and call('XDEL', stream, entry[1]) == 1
        from = '(' .. entry[1]
      end
    until found or #entries < 256
    list(p, ARGV[10], code, ARGV[5])
  end
  local lost = tonumber(ARGV[11])
  for i = 12, 11 + lost do call('ZREM', p .. 't:' .. ARGV[i], code) end
  for i = 12 + lost, #ARGV do call('ZADD', p .. 't:' .. ARGV[i], ARGV[5], code) end
  return 1
end)
