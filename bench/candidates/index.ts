import { BARE, type Candidate, EPOCHCAST, WITHOUT_CURVES, YOGA } from './candidate.ts'
import { doors, epochcast, epochcastWithoutCurves } from './epochcast.ts'
import { bareWs, yoga } from './references.ts'

export const CANDIDATES: Record<string, Candidate> = {
  [BARE]: bareWs,
  [EPOCHCAST]: epochcast,
  [WITHOUT_CURVES]: epochcastWithoutCurves,
  [YOGA]: yoga,
  ...doors,
}
