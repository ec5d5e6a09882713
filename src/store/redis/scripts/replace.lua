-- Puts a link's new record in the place of the old one. KEYS: partition.
-- ARGV: token, code, old record, new record, milliseconds, channel, message,
-- number of tags it loses, those tags, tags it gets. Answers 1 done, 0 changed.
return once(ARGV[1], function()
  local p, code = KEYS[1], ARGV[2]
  local key = key_of(open(p .. 'l', code_hash), code)
  if call('HGET', key, code) ~= ARGV[3] then return 0 end
  -- Said first: to have told of a change that is then refused does no harm, the other way round does.
  -- Nobody hears it before the script is over.
  call('PUBLISH', ARGV[6], ARGV[7])
  call('HSET', key, code, ARGV[4])
  local lost = tonumber(ARGV[8])
  for i = 9, 8 + lost do call('ZREM', p .. 't:' .. ARGV[i], code) end
  for i = 9 + lost, #ARGV do call('ZADD', p .. 't:' .. ARGV[i], ARGV[5], code) end
  return 1
end)
