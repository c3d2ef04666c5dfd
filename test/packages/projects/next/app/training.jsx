'use client'

import { useTask } from 'epochcast/react'

export function Training({ taskId }) {
  const { task, state } = useTask(taskId)
  return <p>Task: {task?.status ?? state.kind}</p>
}
