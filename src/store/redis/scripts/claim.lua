-- Stores links whose codes are free, and lists them. KEYS: partition.
-- ARGV: token, then for each link: the code's hash, code, record, owner, milliseconds, number of tags,
-- tags. Answers a text of one digit a link: 1 claimed, 0 taken.
return once(ARGV[1], function()
  local p = KEYS[1]
  local links = begin(open(p .. 'l', code_hash))
  local answers, i = {}, 2
  while i <= #ARGV do
    local code, made, tags = ARGV[i + 1], ARGV[i + 4], tonumber(ARGV[i + 5])
    local free = call('HSETNX', bucket_key(links, tonumber(ARGV[i])), code, ARGV[i + 2]) == 1
    if free then
      added(links)
      list(p, ARGV[i + 3], code, made)
      for tag = 1, tags do call('ZADD', p .. 't:' .. ARGV[i + 5 + tag], made, code) end
    end
    answers[#answers + 1] = free and '1' or '0'
    i = i + 6 + tags
  end
  finish(links)
  return table.concat(answers)
end)
