-- wrk: creates webhooks that are due at random moments of the 24 hours after the first minute.
-- An argument says what each is given besides: key, idempotency, tags or watched; job: they are jobs of a queue.
local seed = os.time()
function setup(thread) seed = seed + 1; thread:set("seed", seed) end

local extra, count = "plain", 0
function init(args) math.randomseed(seed); start = os.time(); extra = args[1] or extra end

request = function()
  local moment = os.date("!%Y-%m-%dT%H:%M:%S", start + math.random(60, 86460))
  local headers, member = {["content-type"] = "application/json"}, ""
  count = count + 1
  if extra == "key" then
    member = string.format('"key":"order:%d-%d",', seed, count)
  elseif extra == "tags" then
    member = string.format('"tags":["customer:%d","import","shop:%d"],', math.random(10000), math.random(100))
  elseif extra == "watched" then
    member = string.format('"tags":["watched:%d"],', math.random(0, 999))
  elseif extra == "idempotency" then
    headers["idempotency-key"] = string.format("%d-%d", seed, count)
  end
  if extra == "job" then
    return wrk.format("POST", "/tasks/new", headers, string.format(
      '{"job":{"execution_time":"%s.%06dZ","queue":"reports","json":"hello"}}', moment, math.random(0, 999999)))
  end
  local body = string.format('{"webhook":{%s"execution_time":"%s.%06dZ","url":"http://localhost:9000/hook","body":"hello"}}',
    member, moment, math.random(0, 999999))
  return wrk.format("POST", "/tasks/new", headers, body)
end

done = function(summary, latency)
  io.write(string.format('\n{"requests": %d, "microseconds": %d, "errors": %d, "p50": %d, "p99": %d}\n', summary.requests,
    summary.duration, summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.status
    + summary.errors.timeout, latency:percentile(50), latency:percentile(99)))
end
