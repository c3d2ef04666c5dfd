-- Deletes a task with all that is stored of it, and keeps a mark by which it is not created again from memory.
--
-- KEYS  1 state (hash)  2 log (stream)  3 curves  4 mark  5 output (stream)
-- ARGV  1 expected generation  2 expected top  3 what names this very task  4 seconds to keep the mark
--       5 channel of the task  6 channel of listings  7 what is published there
-- Reply 1 deleted, 0 conflict (nothing was changed), -1 no such task
local current = redis.call('HMGET', KEYS[1], 'generation', 'top')
if not current[1] then
  return -1
end
if current[1] ~= ARGV[1] or current[2] ~= ARGV[2] then
  return 0
end
redis.call('DEL', KEYS[1], KEYS[2], KEYS[3], KEYS[5])
redis.call('SET', KEYS[4], ARGV[3], 'EX', ARGV[4])
redis.call('PUBLISH', ARGV[5], '{"dropped":true}')
redis.call('PUBLISH', ARGV[6], ARGV[7])
return 1
