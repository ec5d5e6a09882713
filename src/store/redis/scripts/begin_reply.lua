-- Reserves a name for a request. KEYS: name. ARGV: fingerprint, now, end of the lease, token.
-- Answers `fresh`, `running`, `other`, or `=` and the answer that was given.
-- A value is its state (r or a), the end of its validity, when it was reserved, a token of 16
-- characters, the fingerprint, the answer. The times are the caller's; Redis's expiry only tidies.
local head = '>c1I6I6c16c32'
local stands = redis.call('GET', KEYS[1])
if stands then
  local state, valid, _, token, print = struct.unpack(head, stands)
  if valid > tonumber(ARGV[2]) then
    if print ~= ARGV[1] then return 'other' end
    if state == 'a' then return '=' .. string.sub(stands, struct.size(head) + 1) end
    -- Sent twice because its answer was lost: still the first to ask.
    if token ~= ARGV[4] then return 'running' end
  end
end
local lease = math.max(1, ARGV[3] - ARGV[2])
redis.call('SET', KEYS[1], struct.pack(head, 'r', ARGV[3], ARGV[2], ARGV[4], ARGV[1]),
  'PX', string.format('%d', lease))
return 'fresh'
