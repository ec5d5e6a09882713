-- The rows that a batch is going to change. KEYS: partition. ARGV: node, number of moves, for each:
-- lane, from, to; then for each day: day, number of names, for each: name, its hash, hours as bytes.
-- Answers {0, {}, mark, rows}: for each name the day's row and its hours', nothing for none; or
-- {1, {field, value, …}, '', {}}: what stands at the node instead.
local p, moves = KEYS[1], tonumber(ARGV[2])
local stands = elsewhere(p .. 'n:' .. ARGV[1], 3, moves)
if stands then return { 1, stands, '', {} } end
local rows, i = {}, 3 + 3 * moves
while i <= #ARGV do
  local day = ARGV[i]
  local days, hours = rows_of_day(day), rows_of_hours(day)
  local last = i + 1 + 3 * ARGV[i + 1]
  for at = i + 2, last, 3 do
    local name, hash = ARGV[at], tonumber(ARGV[at + 1])
    local row = call('HGET', bucket_key(days, hash), name)
    rows[#rows + 1] = row and with_sketch(row, day, name, hash) or ''
    local fields = hour_fields(ARGV[at + 2], name)
    for _, row in ipairs(call('HMGET', bucket_key(hours, hash), unpack(fields))) do
      rows[#rows + 1] = row or ''
    end
  end
  i = last + 1
end
return { 0, {}, call('GET', p .. 'v') or '', rows }
