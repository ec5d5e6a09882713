-- Readers: GET /CODE, the codes drawn by Zipf's law.
-- Arguments: the file of codes by rank; the file of ranks in the order they are asked for.
local threads = 0

function setup(thread)
  threads = threads + 1
  thread:set("number", threads)
end

local requests, order, at = {}, {}, 0

function init(args)
  for code in io.lines(args[1]) do
    requests[#requests + 1] = wrk.format("GET", "/" .. code)
  end
  for rank in io.lines(args[2]) do
    order[#order + 1] = tonumber(rank)
  end
  -- No two threads in step.
  at = (number * 7919) % #order
end

function request()
  at = at % #order + 1
  return requests[order[at]]
end
