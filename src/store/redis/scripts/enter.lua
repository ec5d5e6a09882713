-- Enters codes under addresses, behind those that stand there, as far as there is room: doing it twice
-- is doing it once. KEYS: partition. ARGV: the most codes of an address, then for each address: its
-- name, its codes with spaces between them.
local limit = tonumber(ARGV[1])

local function joined(there, more)
  local known, count, all = {}, 0, { there }
  for code in string.gmatch(there, '%S+') do
    known[code], count = true, count + 1
  end
  for code in string.gmatch(more, '%S+') do
    if count >= limit then break end
    if not known[code] then
      known[code], count, all[#all + 1] = true, count + 1, code
    end
  end
  return table.concat(all, ' ')
end

local map = begin(open(KEYS[1] .. 'a', address_hash))
for i = 2, #ARGV, 2 do
  local name, codes = ARGV[i], ARGV[i + 1]
  local key = key_of(map, name)
  if call('HSETNX', key, name, codes) == 1 then
    added(map)
  else
    local there = call('HGET', key, name)
    if there ~= codes then
      local all = joined(there, codes)
      if all ~= there then call('HSET', key, name, all) end
    end
  end
end
finish(map)
return 1
