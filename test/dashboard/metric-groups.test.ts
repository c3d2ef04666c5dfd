import { describe, expect, it } from 'vitest'
import { groupCurves } from '../../clients/dashboard/charts/metric-groups.ts'
import type { Curve } from '../../clients/typescript/index.ts'

const curve = (name: string, more: Partial<Curve> = {}): Curve => ({
  name,
  phase: null,
  member: null,
  axis: 'STEP',
  points: [],
  ...more,
})

const grouped = (...curves: Curve[]) =>
  Object.fromEntries(groupCurves(curves, 0).map(({ name, lines }) => [name, lines.map(({ label }) => label)]))

describe('charts of metrics', () => {
  it.each([
    ['no word for training', ['loss', 'val_loss'], { loss: ['train', 'validation'] }],
    [
      'Keras',
      ['accuracy', 'val_accuracy', 'loss', 'val_loss'],
      {
        loss: ['train', 'validation'],
        accuracy: ['train', 'validation'],
      },
    ],
    ['Lightning', ['train_loss', 'val_loss', 'test_loss'], { loss: ['train', 'validation', 'test'] }],
    [
      'folders',
      ['train/loss', 'val/loss', 'train/acc', 'valid/acc'],
      {
        loss: ['train', 'validation'],
        acc: ['train', 'validation'],
      },
    ],
    [
      'Hugging Face',
      ['loss', 'eval_loss', 'eval_runtime'],
      {
        loss: ['train', 'validation'],
        eval_runtime: ['eval_runtime'],
      },
    ],
    ['one phase only', ['val/loss', 'train_time'], { 'val/loss': ['val/loss'], train_time: ['train_time'] }],
    [
      'what only looks so',
      ['validity', 'train', 'tests/passed', 'layer/train_loss'],
      {
        'layer/train_loss': ['layer/train_loss'],
        train: ['train'],
        validity: ['validity'],
        'tests/passed': ['tests/passed'],
      },
    ],
  ])('have training and validation together, by the names of %s', (_, names, expected) => {
    expect(grouped(...names.map((name) => curve(name)))).toEqual(expected)
  })

  it('come in the order of their weight: losses, other metrics, and what is in folders', () => {
    const names = ['grad/layer1', 'train/accuracy', 'f1', 'val/loss', 'loss', 'aux_loss']
    expect(Object.keys(grouped(...names.map((name) => curve(name))))).toEqual([
      ...['loss', 'aux_loss', 'f1', 'train/accuracy', 'grad/layer1'],
    ])
  })

  it('are those of all runs that are compared, whatever each has so far', () => {
    const [young, old] = [[curve('train_loss')], [curve('train_loss'), curve('val_loss')]]
    const names = (curves: Curve[]) => groupCurves(curves, 0, [...young, ...old]).map(({ name }) => name)
    expect([names(young), names(old)]).toEqual([['loss'], ['loss']])
  })

  it('go by phases where reports have them, and have a line for each member', () => {
    expect(
      grouped(
        curve('loss', { phase: 'TRAIN', axis: 'ROUND' }),
        curve('loss', { phase: 'VAL', axis: 'ROUND' }),
        curve('loss', { phase: 'TRAIN', member: 'a', axis: 'ROUND' }),
      ),
    ).toEqual({ loss: ['fit', 'eval', 'a · fit'] })
  })
})
