/** CPU time that a function takes, in milliseconds: the least of some runs, as others use the same processors. */
export function cpuMsOf(run: () => void, runs = 3): number {
  const times = Array.from({ length: runs }, () => {
    const before = process.cpuUsage()
    run()
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1000
  })
  return Math.min(...times)
}
