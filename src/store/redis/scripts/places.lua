-- Where the rows of a name on some days stand. KEYS: partition. ARGV: name, then the days.
-- Answers for each day the number of the bucket, or -1 where there is no row.
local name = ARGV[1]
local hash = code_hash(name)
local places = {}
for i = 2, #ARGV do
  local map = rows_of_day(ARGV[i])
  local found = call('HEXISTS', bucket_key(map, hash), name) == 1
  places[i - 1] = found and bucket_of(map, hash) or -1
end
return places
