-- Keeps the answer to a request, or gives its name up. KEYS: name. ARGV: fingerprint, until, and
-- the answer if there is one. The layout is begin_reply's.
local head = '>c1I6I6c16c32'
local stands = redis.call('GET', KEYS[1])
local now, token = nil, string.rep('0', 16)
if stands then
  local state, _, reserved, mine, print = struct.unpack(head, stands)
  if print ~= ARGV[1] then return 0 end
  if not ARGV[3] then return state == 'r' and redis.call('DEL', KEYS[1]) or 0 end
  now, token = reserved, mine
end
if not ARGV[3] then return 0 end
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local life = ARGV[2] - now
if life <= 0 then return redis.call('DEL', KEYS[1]) end
redis.call('SET', KEYS[1], struct.pack(head, 'a', ARGV[2], now, token, ARGV[1]) .. ARGV[3],
  'PX', string.format('%d', life))
return 1
