-- Where a node's journal stands in a partition. Put after map.lua.

-- What stands there if any of so many lanes does not stand where its move starts. ARGV from `first`
-- on, for each: lane, from, to. Positions are compared as text: they have more bits than a Lua number.
local function elsewhere(progress, first, moves)
  for i = first, first + 3 * (moves - 1), 3 do
    if (call('HGET', progress, ARGV[i]) or '0') ~= ARGV[i + 1] then
      return call('HGETALL', progress)
    end
  end
end
