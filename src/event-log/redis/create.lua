-- Creates the log of a task with its first events, unless there is one.
--
-- KEYS  1 state (hash)  2 log (stream)  3 curves (hash)  4 mark of a task that was deleted  5 output (stream)
-- ARGV  1 generation  2 serial  3 state as JSON  4 events to retain
--       5 channel of the task  6 channel of all changes  7 what names the task in 6
--       8 channel of listings  9 the task's listing
--       10 what names this very task  11 … the events as JSON
-- Reply {1, … as below}  created
--       {0, generation, top, serial, state, revision, folded, logBytes, curveBytes, listingBytes, outputBytes}  exists; nothing was
--         changed
--       {-1}  this very task was deleted; nothing was changed
local existing = redis.call('HMGET', KEYS[1], 'generation', 'top', 'serial', 'state', 'revision', 'folded', 'logBytes',
  'curveBytes', 'listingBytes', 'outputBytes')
if existing[1] then
  return {0, existing[1], existing[2], existing[3], existing[4], existing[5] or '0', existing[6] or '0', existing[7] or '0',
    existing[8] or '0', existing[9] or '0', existing[10] or '0'}
end
if redis.call('GET', KEYS[4]) == ARGV[10] then
  return {-1}
end
-- What is left of a log whose state was evicted has no use, and its ids would be in the way.
redis.call('DEL', KEYS[2], KEYS[3], KEYS[5])
local top = 0
local logBytes = 0
for i = 11, #ARGV do
  top = top + 1
  logBytes = logBytes + #ARGV[i] + 48
  redis.call('XADD', KEYS[2], top .. '-0', 'e', ARGV[i])
end
redis.call('XTRIM', KEYS[2], 'MAXLEN', ARGV[4])
redis.call('HSET', KEYS[1], 'generation', ARGV[1], 'top', top, 'serial', ARGV[2], 'state', ARGV[3], 'logBytes', logBytes,
  'listing', #ARGV[3] .. ' ' .. ARGV[9], 'listingBytes', #ARGV[9])
redis.call('PUBLISH', ARGV[5], '{"generation":"' .. ARGV[1] .. '","offset":1,"events":[' ..
  table.concat(ARGV, ',', 11) .. ']}')
redis.call('PUBLISH', ARGV[8], ARGV[9])
redis.call('PUBLISH', ARGV[6], ARGV[7])
return {1, ARGV[1], tostring(top), ARGV[2], ARGV[3], '0', '0', tostring(logBytes), '0', tostring(#ARGV[9]), '0'}
