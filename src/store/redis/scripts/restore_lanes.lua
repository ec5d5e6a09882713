-- Puts back where a node's journal stands. KEYS: partition. ARGV: node, `keep` (what is there) or
-- `replace`, then fields and values in turn. Answers 1, 0: something is there, or -1: the counting is
-- held.
local progress = KEYS[1] .. 'n:' .. ARGV[1]
if held() then return -1 end
if ARGV[2] == 'keep' and call('EXISTS', progress) == 1 then return 0 end
call('DEL', progress)
for i = 3, #ARGV, 2 do call('HSET', progress, ARGV[i], ARGV[i + 1]) end
return 1
