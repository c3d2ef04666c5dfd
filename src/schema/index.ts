import './scalars.ts'
import './enums.ts'
import './training-event.ts'
import './task.ts'
import './task-events.ts'
import './task-series.ts'
import './queries.ts'
import './start-training.ts'
import './cancel-training.ts'
import './report-metrics.ts'
import './subscriptions.ts'
import { builder } from './builder.ts'

export const schema = builder.toSchema()
