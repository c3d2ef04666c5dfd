-- Replaces the state of a task whose name or labels were changed, if log and state are still the expected ones.
--
-- KEYS  1 state (hash)
-- ARGV  1 expected generation, with /revision behind it where the task was edited before  2 expected top
--       3 new revision  4 state as JSON
--       5 channel of the task  6 the edit as JSON  7 channel of all changes  8 what names the task in 7
--       9 channel of listings  10 the task's listing
-- Reply about how many bytes the task takes now, 0 conflict (nothing was changed), -1 no such task
-- As in append.lua.
local TASK_BYTES = 1024
local current = redis.call('HMGET', KEYS[1], 'generation', 'top', 'revision', 'logBytes', 'curveBytes', 'outputBytes')
if not current[1] then
  return -1
end
local expected = current[3] and current[1] .. '/' .. current[3] or current[1]
if expected ~= ARGV[1] or current[2] ~= ARGV[2] then
  return 0
end
redis.call('HSET', KEYS[1], 'revision', ARGV[3], 'state', ARGV[4], 'listing', #ARGV[4] .. ' ' .. ARGV[10],
  'listingBytes', #ARGV[10])
redis.call('PUBLISH', ARGV[5], '{"generation":"' .. current[1] .. '","revision":' .. ARGV[3] .. ',"edit":' .. ARGV[6] .. '}')
redis.call('PUBLISH', ARGV[9], ARGV[10])
redis.call('PUBLISH', ARGV[7], ARGV[8])
return TASK_BYTES + (current[4] or 0) + #ARGV[4] + (current[5] or 0) + #ARGV[10] + (current[6] or 0)
