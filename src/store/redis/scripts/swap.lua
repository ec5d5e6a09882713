-- Compare-and-set on entries of the address index. KEYS: partition.
-- ARGV: token, then for each entry: name, old value, new value; an empty value is no entry.
-- Answers for each nothing (done) or what stands there instead, preceded by `=`.
return once(ARGV[1], function()
  local map = begin(open(KEYS[1] .. 'a', address_hash))
  local answers = {}
  for i = 2, #ARGV, 3 do
    local name, old, new = ARGV[i], ARGV[i + 1], ARGV[i + 2]
    local key = key_of(map, name)
    local stands = call('HGET', key, name) or ''
    local answer = ''
    if stands ~= old then
      answer = '=' .. stands
    elseif new ~= '' then
      call('HSET', key, name, new)
      if stands == '' then added(map) end
    elseif stands ~= '' then
      call('HDEL', key, name)
      removed(map)
    end
    answers[#answers + 1] = answer
  end
  finish(map)
  return answers
end)
