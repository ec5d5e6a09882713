-- Stores an API key and tells every node. KEYS: all keys. ARGV: `first` or `any`, id, record,
-- channel, message. With `first` only if there is none, or this very one. Answers 1 stored, 0 not.
if ARGV[1] == 'first' and redis.call('HLEN', KEYS[1]) > 0 then
  return redis.call('HGET', KEYS[1], ARGV[2]) == ARGV[3] and 1 or 0
end
-- Said first, as in replace.lua.
redis.call('PUBLISH', ARGV[4], ARGV[5])
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
return 1
