import { expect, it } from 'vitest'
import { edited, editIn, editOf } from '../../src/task/edit.ts'
import { NOW, newState } from '../support/tasks.ts'

const state = newState({ name: 'before', labels: { team: 'vision' } })

it('an edit changes what is given and leaves the rest', () => {
  expect(editOf(state, { name: 'after' }, NOW)).toEqual({
    name: 'after',
    labels: { team: 'vision' },
    updatedAt: NOW,
  })
  expect(editOf(state, { labels: {} }, NOW)).toMatchObject({ name: 'before', labels: {} })
  expect(editOf(state, { name: null, labels: null }, NOW)).toMatchObject({ name: null, labels: null })
})

it('an edit that changes nothing is none', () => {
  expect(editOf(state, {}, NOW)).toBeNull()
  expect(editOf(state, { name: 'before', labels: { team: 'vision' } }, NOW)).toBeNull()
  expect(editOf(newState(), { name: null }, NOW)).toBeNull()
})

it('an edited state is newer, never older', () => {
  const edit = { name: 'after', labels: null, updatedAt: NOW + 7 }
  expect(edited(state, edit)).toMatchObject({
    spec: { id: state.spec.id, name: 'after', labels: null },
    updatedAt: NOW + 7,
  })
  expect(edited({ ...state, updatedAt: NOW + 9 }, edit).updatedAt).toBe(NOW + 9)
  expect(editIn(edited(state, edit))).toEqual(edit)
})
