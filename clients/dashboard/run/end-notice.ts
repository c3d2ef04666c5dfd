import { useEffect, useRef, useState } from 'react'
import type { TaskStatus, TaskSummaryFragment } from '../../typescript/index.ts'
import { nameOf } from '../ui/format.ts'
import { isFinal, STATUSES } from '../ui/status.tsx'

export interface EndNotice {
  readonly isWanted: boolean
  /** Whether the browser has notifications, and has not forbidden them. */
  readonly isPossible: boolean
  readonly toggle: () => void
}

const SIGNS: Partial<Record<TaskStatus, string>> = {
  SUCCESS: '✓ ',
  FAILURE: '✗ ',
  CANCELLED: '■ ',
  STALLED: '… ',
}

/** Of the tab: seen from another one. */
export function titleOf(task: TaskSummaryFragment): string {
  const { status, progress } = task
  const sign = status === 'RUNNING' && progress != null ? `${Math.floor(progress)} % ` : (SIGNS[status] ?? '')
  return `${sign}${nameOf(task)}`
}

/** Tells when a run ends while its page is open: by the tab's icon, and by a notification where that is wanted. */
export function useEndNotice(task: TaskSummaryFragment | null): EndNotice {
  const [isWanted, setWanted] = useState(false)
  const isPossible = 'Notification' in window && Notification.permission !== 'denied'
  const before = useRef<TaskStatus | null>(null)
  const status = task?.status ?? null
  useEffect(() => {
    const was = before.current
    before.current = status
    if (!task || status === null || was === null || isFinal(was) || !isFinal(status)) return
    if (isWanted && Notification.permission === 'granted') notify(task)
  }, [task, status, isWanted])
  useFavicon(status, Math.round((task?.progress ?? 0) / 5) * 5)
  const toggle = () => {
    if (isWanted) return setWanted(false)
    void Notification.requestPermission().then((permission) => setWanted(permission === 'granted'))
  }
  return { isWanted, isPossible, toggle }
}

function notify(task: TaskSummaryFragment): void {
  try {
    new Notification(`${nameOf(task)}: ${STATUSES[task.status].label.toLowerCase()}`, { tag: task.channel })
  } catch {
    // Android's browsers have the class, and let only service workers use it. The tab tells the end as well.
  }
}

const FAVICON = '/favicon.svg'
const SIZE = 64
const COLORS: Readonly<Record<TaskStatus, string>> = {
  QUEUED: '#8a93a5',
  RUNNING: '#4f63e8',
  STALLED: '#d98a0b',
  SUCCESS: '#17915b',
  FAILURE: '#d5392f',
  CANCELLED: '#6d7484',
}

/** A ring that fills, and a disc at the end. */
function useFavicon(status: TaskStatus | null, progress: number): void {
  useEffect(() => {
    const link = document.querySelector<HTMLLinkElement>('link[rel=icon]')
    if (!link || status === null) return
    const canvas = document.createElement('canvas')
    canvas.width = canvas.height = SIZE
    const context = canvas.getContext('2d')
    if (!context) return
    const circle = (color: string, part: number) => {
      context.beginPath()
      context.strokeStyle = context.fillStyle = color
      context.lineWidth = 12
      context.arc(SIZE / 2, SIZE / 2, SIZE / 2 - 8, -Math.PI / 2, (part * 2 - 0.5) * Math.PI)
      if (isFinal(status)) context.fill()
      context.stroke()
    }
    circle('#8a93a555', 1)
    circle(COLORS[status], isFinal(status) ? 1 : progress / 100)
    link.type = 'image/png'
    link.href = canvas.toDataURL('image/png')
  }, [status, progress])
  // Only as the page is left: a browser would ask for the file at each change.
  useEffect(
    () => () => {
      const link = document.querySelector<HTMLLinkElement>('link[rel=icon]')
      if (!link) return
      link.type = 'image/svg+xml'
      link.href = FAVICON
    },
    [],
  )
}
