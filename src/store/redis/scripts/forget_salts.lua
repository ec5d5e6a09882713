-- Forgets secrets of days that are over. KEYS: salts. ARGV: the first day whose secret is kept.
forget(KEYS[1], ARGV[1])
return 0
