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
    local bucket = links.prefix .. string.format('%d', bucket_of(links, tonumber(ARGV[i + 1])))
    local answer = ''
    if call('HSETNX', entry, name, code) == 0 then
      answer = '=' .. call('HGET', entry, name)
    elseif call('HSETNX', bucket, code, ARGV[i + 3]) == 0 then
      call('HDEL', entry, name)
      answer = '!'
    else
      added(index)
      added(links)
      list(p, owner, code, ARGV[i + 5])
      for tag = 1, tags do call('ZADD', p .. 't:' .. ARGV[i + 6 + tag], ARGV[i + 5], code) end
    end
    answers[#answers + 1] = answer
    i = i + 7 + tags
  end
  finish(index)
  finish(links)
  return answers
end)
