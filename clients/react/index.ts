'use client'

export type { CurvesSnapshot } from './curves-store.ts'
export type { HeartbeatSnapshot } from './heartbeat-store.ts'
export type {
  HeartbeatOptions,
  OutputOptions,
  StartedTraining,
  StartTrainingState,
  SuspenseOption,
  TaskOptions,
  TaskOutput,
  TrainingOptions,
} from './hooks.ts'
export {
  useCurves,
  useHeartbeat,
  useStartTraining,
  useTask,
  useTaskOutput,
  useTasks,
  useTrainingProgress,
} from './hooks.ts'
export type { EpochcastProviderProps } from './provider.ts'
export { EpochcastProvider } from './provider.ts'
export type { AnyClient, ApolloLike, UrqlLike } from './source.ts'
export type { Status } from './store.ts'
export type { TasksRequest, TasksSnapshot } from './tasks-store.ts'
export type { TrainingCardProps } from './training-card.ts'
export { TrainingCard } from './training-card.ts'
export type { TrainingSnapshot } from './training-store.ts'
