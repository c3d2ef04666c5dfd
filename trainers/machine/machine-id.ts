import { z } from 'zod'

/** Starts with a letter or digit, so that no machine id is a path of its own. */
export const machineIdSchema = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/)
