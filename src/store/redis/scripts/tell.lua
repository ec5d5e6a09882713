-- Adds an item to the news. KEYS: news. ARGV: token, item, about how many are kept. Each entry names
-- the one before it: whoever heard of that one has missed nothing, even if it is gone.
return once(ARGV[1], function()
  local last = call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
  call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[3], '*', 'i', ARGV[2], 'p', last and last[1] or '0-0')
  return 1
end)
