-- Enters links' codes under addresses that have none, and stores the links: both or neither.
-- KEYS: partition. ARGV: token, then for each link: the address's name, the code's hash, code,
-- record, owner, milliseconds, number of tags, tags.
-- Answers for each nothing (done), `!` (the code is taken), or the address's codes after `=`.
return once(ARGV[1], function()
  local p = KEYS[1]
  local index = begin(open(p .. 'a', address_hash))
  local links = begin(open(p .. 'l', code_hash))
  local answers, i = {}, 2
  while i <= #ARGV do
    local name, code, owner, tags = ARGV[i], ARGV[i + 2], ARGV[i + 4], tonumber(ARGV[i + 6])
    local entry = key_of(index, name)
    local stands = call('HGET', entry, name)
    local answer = ''
    if stands then
      answer = '=' .. stands
    else
      local bucket = links.prefix .. string.format('%d', bucket_of(links, tonumber(ARGV[i + 1])))
      if call('HSETNX', bucket, code, ARGV[i + 3]) == 0 then
        answer = '!'
      else
        call('HSET', entry, name, code)
        added(index, true)
        added(links)
        call('XADD', p .. 'o:' .. owner, '*', 'c', code)
        call('SADD', p .. 'w', owner)
        for tag = 1, tags do call('ZADD', p .. 't:' .. ARGV[i + 6 + tag], ARGV[i + 5], code) end
      end
    end
    answers[#answers + 1] = answer
    i = i + 7 + tags
  end
  finish(index)
  finish(links)
  return answers
end)
