import { type ChildProcess, spawn } from 'node:child_process'
import type { Writable } from 'node:stream'

/**
 * A shell that outlives this process just long enough to end its children. It reads `+pid` and `-pid`
 * lines of process groups; when its input ends, because this process is gone (by SIGKILL, say, where
 * nothing of ours can run any more), it kills the groups that are left.
 */
const SCRIPT = `
trap '' HUP INT TERM
groups=' '
while read -r line; do
  pid=\${line#?}
  case $line in
    +*) groups="$groups$pid " ;;
    -*) groups="\${groups%% $pid *} \${groups#* $pid }" ;;
  esac
done
for pid in $groups; do kill -KILL -"$pid" 2>/dev/null; done
exit 0
`

export class Reaper {
  #shell: ChildProcess | undefined
  #input: Writable | null = null

  /** To be told of every process group, as soon as it exists. */
  watch(pid: number): void {
    this.#write(`+${pid}\n`)
  }

  forget(pid: number): void {
    this.#write(`-${pid}\n`)
  }

  /** Ends the shell and, with it, every group that was not forgotten. */
  async close(): Promise<void> {
    const shell = this.#shell
    if (!shell || shell.pid === undefined || shell.exitCode !== null || shell.signalCode !== null) return
    const exited = new Promise<void>((resolve) => shell.once('exit', () => resolve()))
    this.#input?.end()
    await exited
  }

  #write(line: string): void {
    this.#shell ??= this.#start()
    this.#input?.write(line)
  }

  #start(): ChildProcess {
    const shell = spawn('/bin/sh', ['-c', SCRIPT], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
    this.#input = shell.stdin
    // Without it trainers run all the same; they are only not ended when this process is killed.
    shell.on('error', () => {
      this.#input = null
    })
    shell.stdin?.on('error', () => {})
    shell.unref()
    return shell
  }
}
