// A page of React that watches one training: page.html?server=http://localhost:4000/graphql&task=TASK_ID
import { EpochcastProvider, useCurves, useTask } from 'epochcast/react'
import { createRoot } from 'react-dom/client'

function Training({ taskId }) {
  const { task, state, error } = useTask(taskId)
  const { curves } = useCurves(taskId, { names: ['loss'], maxPoints: 500 })
  if (error) return <p role="alert">{error.message}</p>
  return (
    <main>
      <h1>
        {task?.name ?? taskId}: {task?.status ?? 'connecting'}
      </h1>
      <progress max={100} value={task?.progress ?? 0} />
      {state.kind === 'reconnecting' && <p>No connection; try {state.attempt} follows.</p>}
      {state.kind === 'interrupted' && <p>The server has lost its engine, and goes on when it is back.</p>}
      {curves.map((curve) => (
        <Curve key={[curve.member, curve.phase, curve.axis].join()} points={curve.points} />
      ))}
    </main>
  )
}

function Curve({ points }) {
  const drawn = points.filter(({ value }) => typeof value === 'number') // a loss may be 'NaN'
  const right = Math.max(1, ...drawn.map(({ step }) => step))
  const top = Math.max(Number.MIN_VALUE, ...drawn.map(({ value }) => value))
  const line = drawn.map(({ step, value }) => `${(300 * step) / right},${100 - (100 * value) / top}`)
  return (
    <svg viewBox="0 0 300 100" role="img" aria-label={`loss, ${points.length} points`}>
      <polyline points={line.join(' ')} fill="none" stroke="currentColor" />
    </svg>
  )
}

const { server, task } = Object.fromEntries(new URLSearchParams(location.search))
createRoot(document.body).render(
  <EpochcastProvider url={server}>
    <Training taskId={task} />
  </EpochcastProvider>,
)
