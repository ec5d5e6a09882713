-- Forgets the secrets of the days before this one. Today's and the two days' before, by the server's
-- own clock, stay: one node whose clock is ahead forgets nothing for the others.
local function forget(salts, before)
  local today = math.floor(redis.call('TIME')[1] / 86400)
  before = math.min(tonumber(before), today - 2)
  for _, day in ipairs(redis.call('HKEYS', salts)) do
    if tonumber(day) < before then redis.call('HDEL', salts, day) end
  end
end
