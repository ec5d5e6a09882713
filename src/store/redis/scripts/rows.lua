-- A stretch of the links clicked on a day. KEYS: partition. ARGV: day, first bucket.
-- Answers the bucket to go on from (0: that was all), then code, tally for each. Entries only ever
-- move to higher buckets: whoever reads upwards may see one twice, but misses none.
local map = open(KEYS[1] .. 'd' .. ARGV[1] .. '.', code_hash)
local first = tonumber(ARGV[2])
local next = math.min(first + 32, map.buckets)
local answer = { string.format('%d', next < map.buckets and next or 0) }
for bucket = first, next - 1 do
  local entries = call('HGETALL', map.prefix .. string.format('%d', bucket))
  for i = 1, #entries, 2 do
    if entries[i] ~= '' then
      answer[#answer + 1], answer[#answer + 2] = entries[i], entries[i + 1]
    end
  end
end
return answer
