-- Looks entries up. KEYS: partition. ARGV: family, fields.
-- Answers the number of buckets, then each value or nil.
local map = open(KEYS[1] .. ARGV[1], ARGV[1] == 'a' and address_hash or code_hash)
local answer = { map.buckets }
for i = 2, #ARGV do answer[i] = call('HGET', key_of(map, ARGV[i]), ARGV[i]) end
return answer
