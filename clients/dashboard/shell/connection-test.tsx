import { useEffect, useRef, useState } from 'react'
import { useHeartbeat } from '../../react/index.ts'
import { useSession } from '../session/context.tsx'

const TEST_MS = 10_000
const INTERVAL_MS = 100

interface Result {
  readonly beats: number
  /** The longest time between two beats. */
  readonly longestMs: number
  readonly roundTripsMs: readonly number[]
}

/** Ten seconds of ten beats a second: whether the way from the server to this page is steady. */
export function ConnectionTest() {
  const [run, setRun] = useState(0)
  const [result, setResult] = useState<Result | null>(null)
  if (run > 0 && result === null) return <RunningTest key={run} onResult={setResult} />
  const start = () => {
    setResult(null)
    setRun(run + 1)
  }
  return (
    <div className="connection-test">
      {result && <ResultLine {...result} />}
      <button type="button" className="button" onClick={start}>
        Test for 10 seconds
      </button>
    </div>
  )
}

function RunningTest({ onResult }: { onResult: (result: Result) => void }) {
  const { link } = useSession().state
  const { heartbeat } = useHeartbeat({ intervalMs: INTERVAL_MS })
  const seen = useRef({ beats: 0, longestMs: 0, lastAt: 0, roundTripsMs: [] as number[] })
  const [share, setShare] = useState(0)
  useEffect(() => {
    if (!heartbeat) return
    const now = performance.now()
    const { current } = seen
    if (current.lastAt > 0) current.longestMs = Math.max(current.longestMs, now - current.lastAt)
    current.lastAt = now
    current.beats++
  }, [heartbeat])
  useEffect(() => {
    const startedAt = performance.now()
    const timer = setInterval(() => {
      const passed = performance.now() - startedAt
      setShare(Math.min(1, passed / TEST_MS))
      void link.roundTrip().then((ms) => {
        if (ms !== null) seen.current.roundTripsMs.push(ms)
      })
      if (passed >= TEST_MS) onResult(seen.current)
    }, 250)
    return () => clearInterval(timer)
  }, [link, onResult])
  return (
    <div className="connection-test">
      <p>Testing: {Math.round(share * 100)} %</p>
      <div className="progress" data-status="RUNNING" aria-hidden="true">
        <div style={{ transform: `scaleX(${share})` }} />
      </div>
    </div>
  )
}

function ResultLine({ beats, longestMs, roundTripsMs }: Result) {
  const sorted = [...roundTripsMs].sort((a, b) => a - b)
  const at = (part: number) => sorted[Math.floor((sorted.length - 1) * part)]?.toFixed(1) ?? '–'
  return (
    <p role="status">
      {beats} beats of about {TEST_MS / INTERVAL_MS}, at most {Math.round(longestMs)} ms apart; round trip{' '}
      {at(0.5)} ms, at worst {at(1)} ms.
    </p>
  )
}
