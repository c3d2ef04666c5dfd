-- Gives a log that lost its newest entries a new generation (a replica was promoted that had not
-- received them), so that readers that saw those entries learn of it.
--
-- KEYS  1 state (hash)
-- ARGV  1 generation that lost entries  2 new generation  3 last offset that both have in common
-- Reply 1 done, 0 somebody else did it already or there is no such task
if redis.call('HGET', KEYS[1], 'generation') ~= ARGV[1] then
  return 0
end
redis.call('HSET', KEYS[1], 'generation', ARGV[2], 'previousGeneration', ARGV[1], 'common', ARGV[3])
return 1
