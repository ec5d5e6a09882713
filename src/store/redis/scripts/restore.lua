-- Puts rows and totals back. KEYS: partition. ARGV: token, `look` (to find out only), `keep` (what is
-- there) or `replace`, new mark, then for each: `d` a day's row, `s` its sketch, `h` an hour's or `c` a
-- total; day, when it expires (Unix seconds; 0: never), field, hash of the name, value.
-- Answers a letter for each: n there was nothing, s the same, o something else, x it has expired; or
-- `!`: the counting is held.
return once(ARGV[1], function()
  local p, over = KEYS[1], ARGV[2]
  if over ~= 'look' and held() then return '!' end
  local now = tonumber(call('TIME')[1])
  local maps, answers = {}, {}
  local families = {
    d = rows_of_day,
    s = sketches_of_day,
    h = rows_of_hours,
    c = function() return open(p .. 'c', code_hash) end,
  }

  local function write(map, family, day, ends, hash, field, value)
    if not map.begun then
      map.begun = true
      call('SET', p .. 'v', ARGV[3])
      begin(map, family ~= 'c' and ends or nil)
      if family == 'd' then note_day(day) end
    end
    if family == 'd' then
      -- The sketch of what stood there, which the new row may not have.
      local beside = maps['s' .. day] or sketches_of_day(day)
      maps['s' .. day] = beside
      if beside.count > 0 then removed(beside, call('HDEL', bucket_key(beside, hash), field)) end
    end
    put(map, hash, field, value)
  end

  for i = 4, #ARGV, 6 do
    local family, day, ends = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])
    local field, hash, value = ARGV[i + 3], tonumber(ARGV[i + 4]), ARGV[i + 5]
    local map = maps[family .. day] or families[family](day)
    maps[family .. day] = map
    local there, answer = call('HGET', bucket_key(map, hash), field), 'o'
    if ends > 0 and ends <= now then answer = 'x'
    elseif not there then answer = 'n'
    elseif there == value then answer = 's' end
    if (answer == 'n' and over ~= 'look') or (answer == 'o' and over == 'replace') then
      write(map, family, day, ends, hash, field, value)
    end
    answers[#answers + 1] = answer
  end
  for _, map in pairs(maps) do finish(map) end
  return table.concat(answers)
end)
