import { expect, it } from 'vitest'
import { errorLine, errorWords } from '../../clients/dashboard/run/error-line.ts'

const frames = '  File "train.py", line 3, in <module>\n    fit()\n  File "fit.py", line 9, in fit\n    raise'

it.each([
  [
    'a traceback of Python',
    `Traceback (most recent call last):\n${frames}\nRuntimeError: shape\n`,
    'RuntimeError: shape',
  ],
  [
    'one that was cut',
    `[cut: 70000 characters, at most 16384] h.py\n${frames}\nValueError: x`,
    'ValueError: x',
  ],
  [
    'an exception of several lines',
    `${frames}\nRuntimeError: in state_dict:\n\tmissing\nHint: none`,
    'RuntimeError: in state_dict:',
  ],
  [
    'an exception of another',
    `${frames}\nKeyError: 1\n\nDuring handling …, another occurred:\n\n${frames}\nOSError: disk`,
    'OSError: disk',
  ],
  ['a stack of Node', 'TypeError: no\n    at fit (a.js:1)\n\nNode.js v22.1.0', 'TypeError: no'],
  ['words and where', 'loss is NaN\n  in step 61', 'loss is NaN'],
  ['what was printed last', 'loading\n\u001b[31mCUDA out of memory\u001b[0m\n\n', 'CUDA out of memory'],
  ['one line', 'out of memory', 'out of memory'],
  ['indented lines alone', '\n  a\n  b', 'b'],
  ['nothing', '', ''],
])('the words of an error are found in %s', (_, message, words) => {
  expect(errorLine(message)).toBe(words)
})

it('a type that stands before them is not said twice', () => {
  expect(errorWords('ValueError: x', 'ValueError')).toBe('x')
  expect(errorWords('ValueError: x', 'Other')).toBe('ValueError: x')
  expect(errorWords('ValueError: x', null)).toBe('ValueError: x')
})
