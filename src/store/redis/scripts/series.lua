-- The days on which a link was clicked. KEYS: partition. ARGV: code, first day, the day after the
-- last, months to look into. Answers day, tally for each.
local code, from, to = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local answer = {}
for i = 4, #ARGV do
  for _, day in ipairs(call('HKEYS', KEYS[1] .. 's' .. ARGV[i])) do
    local number = tonumber(day)
    if number >= from and number < to then
      local tally = call('HGET', key_of(open(KEYS[1] .. 'd' .. day .. '.', code_hash), code), code)
      if tally then answer[#answer + 1], answer[#answer + 2] = day, tally end
    end
  end
end
return answer
