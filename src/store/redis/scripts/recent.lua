-- Entries of the owners' streams of a partition that come after a place. KEYS: partition. ARGV: the
-- order, `newest` or `oldest` first; the place's id or nothing; the owner that parts its equals into
-- those before it and those after it; how many; and the one owner asked for or none. Answers id,
-- owner, code for each.
local down, bound, at_owner, count = ARGV[1] == 'newest', ARGV[2], ARGV[3], tonumber(ARGV[4])
local owners = ARGV[5] ~= '' and { ARGV[5] } or call('SMEMBERS', KEYS[1] .. 'w')
local command, ends = 'XREVRANGE', '-'
if not down then command, ends = 'XRANGE', '+' end
local first = bound ~= '' and bound or (down and '+' or '-')

local function numbers(id)
  local dash = string.find(id, '-', 1, true)
  return tonumber(string.sub(id, 1, dash - 1)), tonumber(string.sub(id, dash + 1))
end

-- Whether the owner's entry at the very moment of the place comes after it.
local function follows(owner)
  if down then return before(owner, at_owner) end
  return before(at_owner, owner)
end

local found = {}
for _, owner in ipairs(owners) do
  local stream = KEYS[1] .. 'o:' .. owner
  -- One more than asked for: the first may be what the place stands for.
  for _, entry in ipairs(call(command, stream, first, ends, 'COUNT', count + 1)) do
    if entry[1] ~= bound or follows(owner) then
      local ms, seq = numbers(entry[1])
      found[#found + 1] = { ms, seq, owner, entry[1], entry[2][2] }
    end
  end
end
table.sort(found, function(a, b)
  if not down then a, b = b, a end
  if a[1] ~= b[1] then return a[1] > b[1] end
  if a[2] ~= b[2] then return a[2] > b[2] end
  return before(b[3], a[3])
end)
local answer = {}
for i = 1, math.min(count, #found) do
  answer[3 * i - 2], answer[3 * i - 1], answer[3 * i] = found[i][4], found[i][3], found[i][5]
end
return answer
