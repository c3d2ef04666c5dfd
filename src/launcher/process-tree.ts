import { readdir, readFile } from 'node:fs/promises'

/** What the kernel tells of one process. */
export interface ProcessFacts {
  readonly pid: number
  /** Clock ticks since the machine's start: with the pid, this very process. */
  readonly startedAt: string
  readonly cpuTicks: number
}

/** Files of /proc that are read at a time. */
const TOGETHER = 32
/** Processes that are looked at; a machine with more is not one to be counted process by process. */
export const MAX_PROCESSES = 32_768

/**
 * The processes that descend from one, or are in its session: what was left behind by a parent that is gone is still in
 * that. Null where /proc cannot be read.
 */
export async function processTree(root: number, proc = '/proc'): Promise<ProcessFacts[] | null> {
  const all = await processes(proc)
  if (!all) return null
  const children = new Map<number, Stat[]>()
  for (const stat of all) {
    const siblings = children.get(stat.parent)
    if (siblings) siblings.push(stat)
    else children.set(stat.parent, [stat])
  }
  const found = new Map<number, Stat>()
  const add = (stat: Stat) => {
    if (found.has(stat.pid)) return
    found.set(stat.pid, stat)
    for (const child of children.get(stat.pid) ?? []) add(child)
  }
  for (const stat of all) if (stat.pid === root || stat.session === root) add(stat)
  return [...found.values()]
}

interface Stat extends ProcessFacts {
  readonly parent: number
  readonly session: number
}

async function processes(proc: string): Promise<Stat[] | null> {
  const names = await readdir(proc).catch(() => null)
  const pids = names?.filter((name) => /^\d+$/.test(name)).slice(0, MAX_PROCESSES)
  if (!pids) return null
  const found: Stat[] = []
  for (let i = 0; i < pids.length; i += TOGETHER) {
    const stats = await Promise.all(pids.slice(i, i + TOGETHER).map((pid) => statOf(proc, pid)))
    for (const stat of stats) if (stat) found.push(stat)
  }
  return found
}

async function statOf(proc: string, pid: string): Promise<Stat | null> {
  // It may have ended meanwhile.
  const text = await readFile(`${proc}/${pid}/stat`, 'utf8').catch(() => null)
  return text === null ? null : parseStat(text)
}

/** The line of /proc/<pid>/stat (proc_pid_stat(5)): the name in parentheses may hold anything. */
export function parseStat(text: string): Stat | null {
  const [pid] = text.split(' ', 1)
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const [parent, session, userTicks, systemTicks, startedAt] = [1, 3, 11, 12, 19].map((at) => fields[at])
  if (startedAt === undefined) return null
  return {
    pid: Number(pid),
    parent: Number(parent),
    session: Number(session),
    cpuTicks: Number(userTicks) + Number(systemTicks),
    startedAt,
  }
}
