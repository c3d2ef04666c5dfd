import { join } from 'node:path'
import { temporaryFolder } from './temporary-folder.ts'

/** A path for a data directory; gone when the test is over. */
export const dataDirectory = (): string => join(temporaryFolder(), 'data')
