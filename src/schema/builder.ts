import SchemaBuilder from '@pothos/core'
import ComplexityPlugin, { ComplexityErrorKind } from '@pothos/plugin-complexity'
import RelayPlugin from '@pothos/plugin-relay'
import ValidationPlugin from '@pothos/plugin-validation'
import { EpochcastError } from '../task/errors.ts'
import { LIMITS } from '../task/limits.ts'
import type { Json, Metrics, MetricValue } from '../task/task.ts'
import { IS_PROPERTY } from './answer.ts'
import type { Context } from './context.ts'
import { describeIssues } from './validation.ts'

export const builder = new SchemaBuilder<{
  Context: Context
  DefaultFieldNullability: false
  DefaultEdgesNullability: { list: false; items: true }
  Scalars: {
    ID: { Input: string; Output: string }
    Count: { Input: number; Output: number }
    Cursor: { Input: string; Output: string }
    DateTime: { Input: string; Output: string | number }
    JSON: { Input: Json; Output: Json }
    MetricValue: { Input: MetricValue; Output: MetricValue }
    Metrics: { Input: Metrics; Output: Metrics }
  }
}>({
  plugins: [RelayPlugin, ComplexityPlugin, ValidationPlugin],
  defaultFieldNullability: false,
  relay: {
    clientMutationId: 'omit',
    cursorType: 'String',
    nodeQueryOptions: false,
    nodesQueryOptions: false,
    edgesFieldOptions: { nullable: { list: false, items: true } },
    nodeFieldOptions: { nullable: false, extensions: { [IS_PROPERTY]: true } },
  },
  complexity: {
    defaultComplexity: 1,
    defaultListMultiplier: 10,
    limit: {
      depth: LIMITS.queryDepth,
      breadth: LIMITS.queryBreadth,
      complexity: LIMITS.queryComplexity,
    },
    complexityError: (kind, found) => {
      const [what, is, max] = {
        [ComplexityErrorKind.Depth]: ['depth', found.depth, found.maxDepth] as const,
        [ComplexityErrorKind.Breadth]: ['breadth', found.breadth, found.maxBreadth] as const,
        [ComplexityErrorKind.Complexity]: ['complexity', found.complexity, found.maxComplexity] as const,
      }[kind]
      return new EpochcastError('QUERY_TOO_COMPLEX', `the query's ${what} is ${is}; expected at most ${max}`)
    },
  },
  validation: {
    validationError: ({ issues }) => new EpochcastError('BAD_INPUT', describeIssues(issues)),
  },
})

builder.queryType()
builder.mutationType()
builder.subscriptionType()
