-- Reads entries after an offset, together with what the offset has to be judged by.
--
-- KEYS  1 state (hash)  2 log (stream)
-- ARGV  1 offset, or -1 for the oldest retained entry  2 limit
-- Reply {generation, top, oldest, previous generation, last common offset, revision, {id, fields}, …}
--       nil where there is no such task; oldest is the offset of the oldest retained entry, top + 1 for none
local state = redis.call('HMGET', KEYS[1], 'generation', 'top', 'previousGeneration', 'common', 'revision')
if not state[1] then
  return nil
end
local first = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)
local oldest = tonumber(state[2]) + 1
if first[1] then
  oldest = tonumber(string.match(first[1][1], '^%d+'))
end
local after = tonumber(ARGV[1])
if after < 0 then
  after = oldest - 1
end
local entries = redis.call('XRANGE', KEYS[2], string.format('%.0f-0', after + 1), '+', 'COUNT', ARGV[2])
return {state[1], state[2], tostring(oldest), state[3] or '', state[4] or '', state[5] or '0', entries}
