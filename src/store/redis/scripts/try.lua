-- Tries every command that the scripts use, on keys that nothing else uses, so that one that is
-- forbidden is found before anything depends on it: what a script has done before it meets an error
-- stays done. KEYS: partition. ARGV: channel. Answers the commands that failed, each with the error.
local key = KEYS[1] .. 'try:'
local hash, text, bits = key .. 'hash', key .. 'text', key .. 'bits'
local set, stream, sorted = key .. 'set', key .. 'stream', key .. 'sorted'
local failed = {}

local function try(command, ...)
  local answer = redis.pcall(command, ...)
  if type(answer) == 'table' and answer.err then
    failed[#failed + 1] = command .. ': ' .. answer.err
  end
end

try('UNLINK', hash, text, bits, set, stream, sorted)
try('TIME')
try('EXISTS', hash)
try('HSET', hash, 'a', '1')
try('HSETNX', hash, 'b', '1')
try('HINCRBY', hash, 'a', 1)
try('HGET', hash, 'a')
try('HMGET', hash, 'a', 'b')
try('HEXISTS', hash, 'a')
try('HGETALL', hash)
try('HKEYS', hash)
try('HLEN', hash)
try('HDEL', hash, 'b')
try('EXPIRE', hash, 60)
try('EXPIREAT', hash, 4102444800)
try('PEXPIRE', hash, 60000)
try('PTTL', hash)
try('SET', text, '1')
try('GET', text)
try('SETBIT', bits, 1, 1)
try('GETBIT', bits, 1)
try('BITPOS', bits, 1)
try('SADD', set, '1')
try('SMEMBERS', set)
try('XADD', stream, '*', 'a', '1')
try('XRANGE', stream, '-', '+')
try('XREVRANGE', stream, '+', '-')
try('XINFO', 'STREAM', stream)
try('XLEN', stream)
try('XDEL', stream, '1-1')
try('ZADD', sorted, 1, 'a')
try('ZCOUNT', sorted, 1, 1)
try('ZREVRANGE', sorted, 0, 0)
try('ZREM', sorted, 'a')
try('PUBLISH', ARGV[1], 't:')
try('DEL', hash, text, bits, set, stream, sorted)
return failed
