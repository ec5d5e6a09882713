-- The news after a place. KEYS: news. ARGV: the place's id or nothing, how many at most.
-- Answers 1 if some after the place are gone or it is unknown, and then the news from the first one
-- that is kept; else 0. Then id, item for each.
local place = ARGV[1]
local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
local known
if place == '' then
  known = false
elseif first then
  known = first[2][4] == place or #redis.call('XRANGE', KEYS[1], place, place) == 1
else
  known = place == '0-0'
end
local from, found = known and '(' .. place or '-', {}
for _, entry in ipairs(redis.call('XRANGE', KEYS[1], from, '+', 'COUNT', ARGV[2])) do
  found[#found + 1], found[#found + 2] = entry[1], entry[2][2]
end
return { known and 0 or 1, found }
