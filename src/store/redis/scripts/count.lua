-- How many links of an owner a partition holds. KEYS: partition. ARGV: owner.
return call('XLEN', KEYS[1] .. 'o:' .. ARGV[1])
