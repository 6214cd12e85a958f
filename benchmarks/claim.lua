-- wrk: claims jobs of a queue. The argument says how many at a time.
local threads = {}
function setup(thread) threads[#threads + 1] = thread end

function init(args)
  jobs, empty = 0, 0
  local headers = {["content-type"] = "application/json"}
  claim = wrk.format("POST", "/queues/reports/claim", headers, string.format('{"max":%s,"wait":0,"lease":"1h"}', args[1]))
end

request = function() return claim end

response = function(status, headers, body)
  local _, given = body:gsub('"token":', '')
  jobs = jobs + given
  if given == 0 then empty = empty + 1 end
end

done = function(summary, latency)
  local jobs, empty = 0, 0
  for _, thread in ipairs(threads) do
    jobs = jobs + thread:get("jobs")
    empty = empty + thread:get("empty")
  end
  io.write(string.format('\n{"jobs": %d, "empty": %d, "microseconds": %d, "errors": %d}\n', jobs, empty, summary.duration,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.status + summary.errors.timeout))
end
