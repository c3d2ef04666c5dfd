-- Reads lines of a task's output after an offset, together with what the offset has to be judged by.
--
-- KEYS  1 state (hash)  2 output (stream)
-- ARGV  1 offset, or -1 for the oldest retained line  2 about how many lines, 0 for none
-- Reply {generation or '' where there is no output, top, oldest, previous generation, last common offset, what is known of
--         producers, {offset of its first line, its lines as a JSON list} …}
--       nil where there is no such task; oldest is the offset of the oldest retained line, top + 1 for none
local state = redis.call('HMGET', KEYS[1], 'generation', 'outputGeneration', 'outputTop', 'outputPrevious', 'outputCommon',
  'outputState')
if not state[1] then
  return nil
end
if not state[2] then
  return {'', '0', '1', '', '', '', {}}
end
local first = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]
local oldest = first and tonumber(string.match(first[1], '^%d+')) or tonumber(state[3]) + 1
local after = math.max(tonumber(ARGV[1]), oldest - 1)
local chunks = {}
local lines = 0
local from
-- The chunk that has the next line begins at or before it. Whoever has all lines needs none: most reads come from the end.
if after < tonumber(state[3]) then
  local holder = redis.call('XREVRANGE', KEYS[2], string.format('%.0f-0', after + 1), '-', 'COUNT', 1)[1]
  from = holder and holder[1]
end
while from and lines < tonumber(ARGV[2]) do
  local some = redis.call('XRANGE', KEYS[2], from, '+', 'COUNT', 8)
  for _, entry in ipairs(some) do
    if lines < tonumber(ARGV[2]) then
      chunks[#chunks + 1] = {string.match(entry[1], '^%d+'), entry[2][4]}
      lines = lines + entry[2][2]
    end
  end
  from = #some == 8 and '(' .. some[8][1]
end
return {state[2], state[3], string.format('%.0f', oldest), state[4] or '', state[5] or '', state[6] or '', chunks}
