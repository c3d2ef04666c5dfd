import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { parseParams } from '../../trainers/environment.ts'
import { federatedParamsSchema } from '../../trainers/federated/params.ts'
import { tvaeParamsSchema } from '../../trainers/tvae/params.ts'

const configuration = JSON.parse(
  await readFile(new URL('../../trainers/trainers.json', import.meta.url), 'utf8'),
)

it.each([
  ['tvae', tvaeParamsSchema],
  ['federated', federatedParamsSchema],
])('trainers.json states the parameters that %s accepts', (name, schema) => {
  const stated = configuration.trainers[name].params
  for (const property of Object.values<{ description?: string }>(stated.properties)) {
    expect(property.description).toBeTruthy()
    delete property.description
  }
  expect(stated).toEqual(z.toJSONSchema(schema, { target: 'draft-7', io: 'input' }))
})

it.each(['../secrets', '/etc/passwd', '.hidden', 'a/b', 'a\\b', '', 'a'.repeat(65), 'motor\n'])(
  'the machine id %j is refused',
  (machine_id) => {
    expect(() => parseParams(tvaeParamsSchema, { machine_id })).toThrow(/machine_id/)
  },
)
