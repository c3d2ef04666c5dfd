/** A directory that cannot be used; the message, to be read after the setting's name, says what to do. */
export class DataDirectoryError extends Error {
  override name = 'DataDirectoryError'
}
