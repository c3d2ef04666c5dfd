import { join } from 'node:path'
import { startExternal } from '../../support/graphql.ts'
import type { Program } from '../../support/program.ts'
import { testServer } from '../../support/server.ts'
import { until } from '../../support/until.ts'
import { startPython, taskWithSeries } from './python.ts'

const TRAINING = join(import.meta.dirname, '../lightning_training.py')
/** Torch alone takes seconds to load, and more where other tests run beside it. */
const MAX_START_MS = 100_000

export interface Training {
  readonly url: string
  readonly taskId: string
  readonly program: Program
}

/** Starts `lightning_training.py` for a task of a server of its own. */
export async function startTraining(...args: string[]): Promise<Training> {
  const { url } = await testServer()
  const taskId = await startExternal(url)
  return { url, taskId, program: trainingProgram(url, taskId, ...args) }
}

export function trainingProgram(url: string, taskId: string, ...args: string[]): Program {
  return startPython([TRAINING, taskId, '--url', url, ...args])
}

/** Resolves once a training is in its second epoch. */
export async function inSecondEpoch({ url, taskId }: Training): Promise<void> {
  await until('the second epoch', async () => (await taskWithSeries(url, taskId)).epoch >= 1, MAX_START_MS)
}

interface Losses {
  readonly batches: readonly number[]
  /** Means of epochs. */
  readonly train: readonly number[]
  readonly val: readonly number[]
}

/** What the training printed at its end: its losses as the module saw them. */
export function losses({ printed }: Program): Losses {
  return JSON.parse(printed.out.trim().split('\n').at(-1) ?? '')
}

interface Point {
  readonly step: number
  readonly value: number | string
}

export const stepsOf = (points: readonly Point[]) => points.map(({ step }) => step)
export const valuesOf = (points: readonly Point[]) => points.map(({ value }) => value)
