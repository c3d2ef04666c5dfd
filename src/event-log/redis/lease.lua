-- Takes a name for a time, or keeps it.
--
-- KEYS  1 the name
-- ARGV  1 owner  2 milliseconds
-- Reply 1 the owner has it, 0 somebody else has
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
