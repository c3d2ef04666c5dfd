-- Appends events if the log's top and the state's revision are still the expected ones.
--
-- KEYS  1 state (hash)  2 log (stream)  3 curves (hash)  4 output (stream)
-- ARGV  1 expected generation, with /revision behind it where the task was edited  2 expected top  3 state as JSON
--       4 events to retain
--       5 seconds to keep all keys, 0 for as long as the task is unfinished, -1 where until now it counted as finished
--       6 channel of the task  7 channel of all changes  8 what names the task in 7
--       9 the events as JSON, separated by a line feed and a comma: an argument of its own for each would
--         cost the client more than the rest of the command
--       10 channel of listings  11 what is published there and kept beside the state, '' for nothing: both only where 11
--         or 12 is needed
--       12 … only where the curves change: offset of the last event that they contain then, their index, number of
--         segments to put, name and bytes of each, names of segments to drop
-- Reply about how many bytes the task takes now, 0 conflict (nothing was changed), -1 no such task
-- About what Redis takes beside the texts: of an entry, and of the keys and lists of a task.
local ENTRY_BYTES = 48
local TASK_BYTES = 1024
local current = redis.call('HMGET', KEYS[1], 'generation', 'top', 'revision', 'folded', 'logBytes', 'curveBytes',
  'listingBytes', 'outputBytes')
if not current[1] then
  return -1
end
local expected = current[3] and current[1] .. '/' .. current[3] or current[1]
if expected ~= ARGV[1] or current[2] ~= ARGV[2] then
  return 0
end
local top = tonumber(ARGV[2])
-- Only here, so that the events travel once; `PublishedEntries` of announcements.ts.
local announcement = '{"generation":"' .. current[1] .. '","offset":' .. top + 1 .. ',"events":[' .. ARGV[9] .. ']}'
local from = ARGV[9] ~= '' and 1
while from do
  -- JSON has line feeds only where somebody put them between its tokens.
  local to = string.find(ARGV[9], '\n', from, true)
  top = top + 1
  redis.call('XADD', KEYS[2], top .. '-0', 'e', string.sub(ARGV[9], from, to and to - 1))
  from = to and to + 2
end
local folded = tonumber(ARGV[12] or current[4] or 0)
-- What the curves do not contain yet must not be trimmed.
local trimmed
if folded >= top - ARGV[4] then
  trimmed = redis.call('XTRIM', KEYS[2], 'MAXLEN', ARGV[4])
else
  trimmed = redis.call('XTRIM', KEYS[2], 'MINID', string.format('%.0f-0', folded + 1))
end
local logBytes = (current[5] or 0) + #ARGV[9] + ENTRY_BYTES * (top - ARGV[2])
if trimmed > 0 then
  -- What was trimmed is not read for it: events are taken to be of one size.
  local left = redis.call('XLEN', KEYS[2])
  logBytes = math.floor(logBytes * left / (left + trimmed))
end
redis.call('HSET', KEYS[1], 'top', top, 'state', ARGV[3], 'logBytes', logBytes)
local curveBytes = tonumber(current[6] or 0)
if ARGV[12] then
  curveBytes = curveBytes + #ARGV[13] - redis.call('HSTRLEN', KEYS[3], 'index')
  for i = 15, 14 + 2 * ARGV[14], 2 do
    curveBytes = curveBytes + #ARGV[i + 1]
  end
  for i = 15 + 2 * ARGV[14], #ARGV do
    curveBytes = curveBytes - redis.call('HSTRLEN', KEYS[3], ARGV[i])
  end
  redis.call('HSET', KEYS[1], 'curveBytes', curveBytes)
  redis.call('HSET', KEYS[1], 'folded', ARGV[12])
  redis.call('HSET', KEYS[3], 'index', ARGV[13])
  local dropped = 15 + 2 * ARGV[14]
  for i = 15, dropped - 1, 2 do
    redis.call('HSET', KEYS[3], ARGV[i], ARGV[i + 1])
  end
  for i = dropped, #ARGV do
    redis.call('HDEL', KEYS[3], ARGV[i])
  end
end
if ARGV[5] == '-1' then
  redis.call('PERSIST', KEYS[1])
  redis.call('PERSIST', KEYS[2])
  redis.call('PERSIST', KEYS[3])
  redis.call('PERSIST', KEYS[4])
elseif ARGV[5] ~= '0' then
  redis.call('EXPIRE', KEYS[1], ARGV[5])
  redis.call('EXPIRE', KEYS[2], ARGV[5])
  redis.call('EXPIRE', KEYS[3], ARGV[5])
  redis.call('EXPIRE', KEYS[4], ARGV[5])
end
redis.call('PUBLISH', ARGV[6], announcement)
local listingBytes = tonumber(current[7] or 0)
-- First the listing: who begins to hear of changes after this one finds it listed.
if ARGV[11] and ARGV[11] ~= '' then
  listingBytes = #ARGV[11]
  redis.call('HSET', KEYS[1], 'listing', #ARGV[3] .. ' ' .. ARGV[11], 'listingBytes', listingBytes)
  redis.call('PUBLISH', ARGV[10], ARGV[11])
end
redis.call('PUBLISH', ARGV[7], ARGV[8])
return TASK_BYTES + logBytes + #ARGV[3] + curveBytes + listingBytes + (current[8] or 0)
