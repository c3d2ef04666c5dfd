-- Appends lines to a task's output if it still ends where it is expected to, and drops the oldest beyond the bounds.
--
-- KEYS  1 state (hash)  2 output (stream)
-- ARGV  1 expected generation, '' where there is no output yet  2 expected top  3 generation from then on
--       4 what is known of producers, as JSON  5 lines to retain  6 bytes to retain
--       7 channel of the task  8 … number and texts (a JSON list) of each chunk of lines
-- Reply about how many bytes the task takes now, 0 conflict (nothing was changed), -1 no such task
-- As in append.lua.
local ENTRY_BYTES = 48
local TASK_BYTES = 1024
local current = redis.call('HMGET', KEYS[1], 'generation', 'outputGeneration', 'outputTop', 'outputOldest', 'outputBytes',
  'logBytes', 'curveBytes', 'listingBytes')
if not current[1] then
  return -1
end
if (current[2] or '') ~= ARGV[1] or (current[3] or '0') ~= ARGV[2] then
  return 0
end
if not current[2] then
  redis.call('DEL', KEYS[2])
end
local top = tonumber(ARGV[2])
local oldest = tonumber(current[4] or 1)
local bytes = (current[5] or 0) - redis.call('HSTRLEN', KEYS[1], 'outputState')
for i = 8, #ARGV, 2 do
  redis.call('XADD', KEYS[2], (top + 1) .. '-0', 'n', ARGV[i], 'e', ARGV[i + 1])
  top = top + ARGV[i]
  bytes = bytes + #ARGV[i + 1] + ENTRY_BYTES
end
while (top - oldest >= tonumber(ARGV[5]) or bytes > tonumber(ARGV[6])) and redis.call('XLEN', KEYS[2]) > 1 do
  local first = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]
  redis.call('XDEL', KEYS[2], first[1])
  bytes = bytes - #first[2][4] - ENTRY_BYTES
  oldest = string.match(first[1], '^%d+') + first[2][2]
end
bytes = bytes + #ARGV[4]
redis.call('HSET', KEYS[1], 'outputGeneration', ARGV[3], 'outputTop', top, 'outputOldest', oldest, 'outputBytes', bytes,
  'outputState', ARGV[4])
if ARGV[1] ~= '' and ARGV[1] ~= ARGV[3] then
  redis.call('HSET', KEYS[1], 'outputPrevious', ARGV[1], 'outputCommon', ARGV[2])
end
-- A finished task is gone after a while, and its output with it.
local left = redis.call('PTTL', KEYS[1])
if left > 0 then
  redis.call('PEXPIRE', KEYS[2], left)
end
redis.call('PUBLISH', ARGV[7], '{"output":{"generation":"' .. ARGV[3] .. '","offset":' .. top .. '}}')
return TASK_BYTES + (current[6] or 0) + redis.call('HSTRLEN', KEYS[1], 'state') + (current[7] or 0) + (current[8] or 0) + bytes
