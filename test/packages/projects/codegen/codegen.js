const scalars = {
  Count: 'number',
  Cursor: 'string',
  DateTime: 'string',
  JSON: 'unknown',
  MetricValue: "number | 'NaN' | 'Infinity' | '-Infinity'",
  Metrics: "Record<string, number | 'NaN' | 'Infinity' | '-Infinity'>",
}

export default {
  schema: 'node_modules/epochcast/schema.graphql',
  documents: 'node_modules/epochcast/clients/operations/*.graphql',
  config: { scalars, strictScalars: true, useTypeImports: true },
  generates: {
    'preset/': { preset: 'client', presetConfig: { persistedDocuments: { hashAlgorithm: 'sha256' } } },
    // As Apollo's manual has it.
    'apollo.ts': { plugins: ['typescript-operations', 'typed-document-node'] },
    'urql.ts': { plugins: ['typescript-operations', 'typescript-urql'] },
  },
}
