import { type LastEnd, lastEnd, markRunning } from './clean-end.ts'
import { claimDirectory, type DataDirectory } from './data-directory.ts'
import { DataDirectoryError } from './data-directory-error.ts'
import { renewGenerations } from './generations.ts'
import { type OpenTablesOptions, openTables, type Tables } from './tables.ts'

export interface OpenDirectory {
  readonly directory: DataDirectory
  readonly tables: Tables
  readonly lastEnd: LastEnd
}

/**
 * Claims a data directory and opens its tables, as this run may use them: what may lack some of what was shown has
 * new generations.
 *
 * @throws DataDirectoryError; it is free again then
 */
export function openDirectory(options: OpenTablesOptions): OpenDirectory {
  const { path } = options
  const directory = claimDirectory(path)
  let tables: Tables | undefined
  try {
    const end = lastEnd(path)
    tables = openTables(options)
    if (end.mayBeOlder !== null) renewGenerations(tables)
    markRunning(path, options)
    return { directory, tables, lastEnd: end }
  } catch (error) {
    void tables?.root.close()
    directory.release()
    if (error instanceof DataDirectoryError) throw error
    throw new DataDirectoryError(
      `is ${JSON.stringify(path)}, which could not be opened (${(error as Error).message}); expected a disk that can be written and has room`,
      { cause: error },
    )
  }
}
