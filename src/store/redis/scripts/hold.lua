-- Holds the counting of a partition, for longer, or no more. KEYS: partition. ARGV: the holder's name,
-- `take` (unless somebody else holds it), `renew` or `end` (if it still holds it), for how long (ms).
-- Answers 1, or 0: not under this name.
local key, name, how = KEYS[1] .. 'hold', ARGV[1], ARGV[2]
local holder = redis.call('GET', key)
if holder ~= name and (holder or how ~= 'take') then return 0 end
if how == 'end' then redis.call('DEL', key) else redis.call('SET', key, name, 'PX', ARGV[3]) end
return 1
