import type { CodegenConfig } from '@graphql-codegen/cli'
import { lexicographicSortSchema, printSchema } from 'graphql'
import { schema } from './src/schema/index.ts'

/** Writes what is derived from the Pothos schema: schema.graphql and the typed operations of the clients. */
export default {
  schema: printSchema(lexicographicSortSchema(schema)),
  documents: 'clients/operations/*.graphql',
  silent: true,
  generates: {
    'schema.graphql': { plugins: ['schema-ast'] },
    'clients/typescript/generated/': {
      preset: 'client',
      presetConfig: {
        fragmentMasking: false,
        // The manifest of trusted documents; clients ask by `__meta__.hash`.
        persistedDocuments: { hashAlgorithm: 'sha256' },
      },
      config: {
        importExtension: '.ts',
        useTypeImports: true,
        enumsAsTypes: true,
        strictScalars: true,
        immutableTypes: true,
        scalars: {
          Count: 'number',
          Cursor: 'string',
          DateTime: 'string',
          JSON: 'unknown',
          MetricValue: "number | 'NaN' | 'Infinity' | '-Infinity'",
          Metrics: "Record<string, number | 'NaN' | 'Infinity' | '-Infinity'>",
        },
      },
    },
  },
} satisfies CodegenConfig
