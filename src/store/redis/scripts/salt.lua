-- The secret of a day. KEYS: salts. ARGV: day, a fresh one, the first day whose secret is kept.
-- Answers the one that stands: the same for whoever asks.
forget(KEYS[1], ARGV[3])
if redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2]) == 1 then
  -- They are forgotten also when nobody comes any more to have them forgotten.
  local days = math.max(0, ARGV[1] - ARGV[3]) + 2
  redis.call('EXPIRE', KEYS[1], string.format('%d', days * 86400))
end
return redis.call('HGET', KEYS[1], ARGV[1])
