import { NAMES, startViewer, type ViewerOptions } from './viewer.ts'

/*
 * Of a page: all front ends at once.
 */

type FreshToken = Exclude<ViewerOptions['freshToken'], undefined>
const page = globalThis as unknown as { serverUrl: string; freshToken?: FreshToken }

Object.assign(globalThis, {
  watch: (taskId: string) => {
    const { serverUrl: url, freshToken } = page
    const viewed = NAMES.map((name) => [name, startViewer(name, { url, taskId, freshToken })])
    Object.assign(globalThis, { viewed: Object.fromEntries(viewed) })
  },
})
