-- Publishers: POST /api/v1/links, each address new.
-- Arguments: the file of addresses that end where a number goes; the first number; the key.
local threads = 0

function setup(thread)
  threads = threads + 1
  thread:set("number", threads)
end

local urls, head, at = {}, "", 0

function init(args)
  for url in io.lines(args[1]) do
    urls[#urls + 1] = url
  end
  at = tonumber(args[2]) + number * 100000000
  head = "POST /api/v1/links HTTP/1.1\r\nHost: " .. wrk.headers["Host"]
    .. "\r\nAuthorization: Bearer " .. args[3]
    .. "\r\nContent-Type: application/json\r\nContent-Length: "
end

function request()
  at = at + 1
  local body = '{"url":"' .. urls[at % #urls + 1] .. at .. '"}'
  return head .. #body .. "\r\n\r\n" .. body
end
