import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { claimDirectory } from '../../src/event-log/lmdb/data-directory.ts'
import { dataDirectory } from '../support/data-directory.ts'
import { fullDisk } from '../support/full-disk.ts'

const folder = () => {
  const path = dataDirectory()
  mkdirSync(path)
  return path
}

const claim = (path: string) => {
  const directory = claimDirectory(path)
  onTestFinished(directory.release)
  return directory
}

describe('a data directory', () => {
  it('is created, and marked with the version of its format', () => {
    const path = join(dataDirectory(), 'some', 'runs.v2')
    claim(path)
    expect(readFileSync(join(path, 'format'), 'utf8')).toBe('epochcast 1\n')
    expect(readFileSync(join(path, 'server.lock'), 'utf8')).toBe(`${process.pid}\n`)
  })

  it('is refused while another has it, by the number of its process, and free once that is gone', async () => {
    const path = folder()
    // flock on a file that it opened itself, as another server holds it.
    const lock = join(path, 'server.lock')
    const holder = spawn('flock', ['--exclusive', '--no-fork', lock, 'sh', '-c', 'echo held; exec sleep 60'])
    onTestFinished(() => void holder.kill('SIGKILL'))
    await once(holder.stdout, 'data')
    writeFileSync(join(path, 'server.lock'), '4321\n')
    expect(() => claimDirectory(path)).toThrow(/another server holds \(process 4321\); stop it, or give each/)
    process.kill(holder.pid as number, 'SIGTERM')
    await once(holder, 'exit')
    claim(path)
  })

  it('can be had by one store at a time within a process, too', () => {
    const path = folder()
    const first = claimDirectory(path)
    expect(() => claimDirectory(path)).toThrow(`process ${process.pid}`)
    first.release()
    claim(path)
  })

  it('is refused where it is a file', () => {
    const path = join(folder(), 'file')
    writeFileSync(path, '')
    expect(() => claimDirectory(path)).toThrow(
      /which is not a directory; expected a directory that this user may/,
    )
    expect(() => claimDirectory(join(path, 'below'))).toThrow(/which is not a directory/)
  })

  it.skipIf(!fullDisk.isPossible)('is refused where nothing can be written', () => {
    const disk = fullDisk.mount(1)
    disk.makeReadOnly()
    expect(() => claimDirectory(disk.path)).toThrow(/which is on a file system that is read-only; expected/)
  })

  it('is refused on a network file system', () => {
    const path = folder()
    expect(() => claimDirectory(path, () => 0x6969)).toThrow(
      /is on a network file system \(NFS\), where a crash could damage it; expected a directory on a disk of this/,
    )
    claim(path)
  })

  it('of a newer version, or of something else, is left alone', () => {
    const path = folder()
    writeFileSync(join(path, 'format'), 'epochcast 2\n')
    expect(() => claimDirectory(path)).toThrow(
      /whose format is 2; expected 1: use the version of Epochcast that/,
    )
    writeFileSync(join(path, 'format'), 'something\n')
    expect(() => claimDirectory(path)).toThrow(/is no data directory of Epochcast/)
    rmSync(join(path, 'format'))
    mkdirSync(join(path, 'more'))
    writeFileSync(join(path, 'data.mdb'), 'of another program')
    expect(() => claimDirectory(path)).toThrow(
      /has no file "format" and so is no data directory of Epochcast/,
    )
  })
})
