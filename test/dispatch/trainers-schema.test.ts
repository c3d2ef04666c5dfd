import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { fileShape } from '../../src/dispatch/trainer-shapes.ts'

const root = join(import.meta.dirname, '../..')
const schema = z.toJSONSchema(fileShape, { io: 'input', target: 'draft-7' })
const validate = new Ajv({ strict: false }).compile(schema)

describe('the JSON Schema of the trainers’ configuration', () => {
  // After a change: EPOCHCAST_WRITE_SCHEMA=1 npx vitest run test/dispatch/trainers-schema.test.ts; npm run format
  it('is that of the configuration that the server reads', () => {
    const file = join(root, 'trainers/trainers.schema.json')
    const present = { ...schema, title: "Epochcast's trainers" }
    if (process.env.EPOCHCAST_WRITE_SCHEMA) writeFileSync(file, JSON.stringify(present, null, 2))
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(JSON.parse(JSON.stringify(present)))
  })

  it.each(['trainers/trainers.json', 'examples/trainers.json'])('takes %s, which names it or may', (file) => {
    const config = JSON.parse(readFileSync(join(root, file), 'utf8'))
    expect(validate(config), JSON.stringify(validate.errors)).toBe(true)
  })

  it.each([
    ['a launcher that there is not', { launcher: 'slurm', command: ['a'] }],
    ['no command', {}],
    ['a member of another launcher', { command: ['a'], queue: 'q' }],
    ['an attempt too many', { launcher: 'bullmq', command: ['a'], attempts: 101 }],
    ['a priority that Celery does not have', { launcher: 'celery', task: 't', priority: 10 }],
  ])('refuses a trainer with %s, as the server does', (_, trainer) => {
    const config = { trainers: { t: trainer } }
    expect(validate(config)).toBe(false)
    expect(fileShape.safeParse(config).success).toBe(false)
  })

  it('says of every member what it is', () => {
    interface Shape {
      readonly properties: Readonly<Record<string, { readonly description?: string }>>
    }
    const { trainers } = schema.properties as unknown as Record<
      string,
      { additionalProperties: { oneOf: Shape[] } }
    >
    const silent = trainers?.additionalProperties.oneOf.flatMap(({ properties }) =>
      Object.entries(properties).flatMap(([name, { description }]) =>
        description || name === 'launcher' ? [] : [name],
      ),
    )
    expect(silent).toEqual([])
  })
})
