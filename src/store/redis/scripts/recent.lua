-- The newest entries of the owners' streams of a partition that come after a place. KEYS:
-- partition. ARGV: the place's id or `+`, the owner before which its equals count as after it, how
-- many, and the one owner asked for or none. Answers id, owner, code for each, newest first.
local bound, before_owner, count = ARGV[1], ARGV[2], tonumber(ARGV[3])
local owners = ARGV[4] ~= '' and { ARGV[4] } or call('SMEMBERS', KEYS[1] .. 'w')

local function numbers(id)
  local dash = string.find(id, '-', 1, true)
  return tonumber(string.sub(id, 1, dash - 1)), tonumber(string.sub(id, dash + 1))
end

local found = {}
for _, owner in ipairs(owners) do
  local stream = KEYS[1] .. 'o:' .. owner
  -- One more than asked for: the first may be what the place stands for.
  for _, entry in ipairs(call('XREVRANGE', stream, bound, '-', 'COUNT', count + 1)) do
    if entry[1] ~= bound or before(owner, before_owner) then
      local ms, seq = numbers(entry[1])
      found[#found + 1] = { ms, seq, owner, entry[1], entry[2][2] }
    end
  end
end
table.sort(found, function(a, b)
  if a[1] ~= b[1] then return a[1] > b[1] end
  if a[2] ~= b[2] then return a[2] > b[2] end
  return before(b[3], a[3])
end)
local answer = {}
for i = 1, math.min(count, #found) do
  answer[3 * i - 2], answer[3 * i - 1], answer[3 * i] = found[i][4], found[i][3], found[i][5]
end
return answer
