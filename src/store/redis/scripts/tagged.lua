-- The newest entries of a tag's sorted set that come after a place. KEYS: partition.
-- ARGV: tag, the place's score and code or nothing, how many. Answers code, score for each.
-- Any number of links may share a millisecond: among equals the place is found by bisection.
local key, score, code = KEYS[1] .. 't:' .. ARGV[1], ARGV[2], ARGV[3]
local first = 0
if score ~= '' then
  local low = call('ZCOUNT', key, '(' .. score, '+inf')
  local high = low + call('ZCOUNT', key, score, score)
  while low < high do
    local middle = math.floor((low + high) / 2)
    local there = call('ZREVRANGE', key, middle, middle)[1]
    if before(there, code) then high = middle else low = middle + 1 end
  end
  first = low
end
return call('ZREVRANGE', key, first, first + tonumber(ARGV[4]) - 1, 'WITHSCORES')
