-- Reads what the curves of a task are made of, with the events that they do not contain yet, at one moment.
--
-- KEYS  1 state (hash)  2 log (stream)  3 curves (hash)
-- Reply {generation, top, index or '', offset of the last event that they contain, id, fields, id, fields …}
--       nil where there is no such task
local state = redis.call('HMGET', KEYS[1], 'generation', 'top', 'folded')
if not state[1] then
  return nil
end
local folded = state[3] or '0'
local entries = redis.call('XRANGE', KEYS[2], string.format('%.0f-0', tonumber(folded) + 1), '+')
return {state[1], state[2], redis.call('HGET', KEYS[3], 'index') or '', entries}
