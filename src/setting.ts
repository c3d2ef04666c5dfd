import { z } from 'zod'

/*
 * Kinds of settings: each takes the text of an environment variable, or none, and checks it.
 */

/** The text of a variable, trimmed; blank counts as unset. */
export const text = (fallback: string) =>
  z
    .string()
    .optional()
    .transform((found) => found?.trim() || fallback)

/**
 * A check's message, to be read after the name of the variable. One problem a value is enough, and a value with a
 * problem must not reach the checks for contradictions: hence `abort`.
 */
export const expecting = (expected: string, verb: 'is' | 'has' = 'is') => ({
  abort: true,
  error: ({ input }: { readonly input?: unknown }) =>
    `${verb} ${JSON.stringify(input)}; expected ${expected}`,
})

// Numbers are checked as text: zod's coercion would take "1e3", "0x10" and "" for numbers.
export const number = (fallback: number, format: RegExp, min: number, max: number, kind: string) =>
  text(String(fallback))
    .refine(
      (found) => format.test(found) && Number(found) >= min && Number(found) <= max,
      expecting(`${kind} from ${min} to ${max}`),
    )
    .transform(Number)

export const whole = (fallback: number, min: number, max: number) =>
  number(fallback, /^\d+$/, min, max, 'a whole number')

/** As `whole`, null where it is unset. */
export const optionalWhole = (min: number, max: number) =>
  text('')
    .refine(
      (found) => found === '' || (/^\d+$/.test(found) && Number(found) >= min && Number(found) <= max),
      expecting(`a whole number from ${min} to ${max}`),
    )
    .transform((found) => (found === '' ? null : Number(found)))

/** A setting in seconds (fractions allowed), as milliseconds. */
export const seconds = (fallback: number, min: number, max: number) =>
  number(fallback, /^\d+(\.\d+)?$/, min, max, 'seconds').transform((value) => Math.round(value * 1000))

export const oneOf = <const Value extends string>(fallback: NoInfer<Value>, values: readonly Value[]) =>
  text(fallback).pipe(z.enum(values, expecting(`one of ${values.join(', ')}`)))

export const flag = (fallback: '0' | '1' = '0') =>
  oneOf(fallback, ['0', '1']).transform((found) => found === '1')

export const list = (fallback: string) =>
  text(fallback).transform((found): readonly string[] =>
    found
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  )

/** Null where it is not set; without the slash at its end. */
export const webUrl = () =>
  text('').pipe(
    z
      .string()
      .refine(
        (found) => found === '' || (/^https?:\/\//.test(found) && URL.canParse(found) && !/[?#]/.test(found)),
        expecting('a URL such as https://train.example'),
      )
      .transform((found) => found.replace(/\/+$/, '') || null),
  )
