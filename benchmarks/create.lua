-- wrk: creates webhooks that are due at random moments of the 24 hours after the first minute.
local seed = os.time()
function setup(thread) seed = seed + 1; thread:set("seed", seed) end
function init() math.randomseed(seed); start = os.time() end

request = function()
  local moment = os.date("!%Y-%m-%dT%H:%M:%S", start + math.random(60, 86460))
  local body = string.format('{"webhook":{"execution_time":"%s.%06dZ","url":"http://localhost:9000/hook","body":"hello"}}',
    moment, math.random(0, 999999))
  return wrk.format("POST", "/tasks/new", {["content-type"] = "application/json"}, body)
end

done = function(summary, latency)
  io.write(string.format('\n{"requests": %d, "microseconds": %d, "errors": %d, "p50": %d, "p99": %d}\n', summary.requests,
    summary.duration, summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.status
    + summary.errors.timeout, latency:percentile(50), latency:percentile(99)))
end
