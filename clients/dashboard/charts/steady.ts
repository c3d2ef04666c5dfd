import { useEffect, useRef, useState } from 'react'

/** The array of the rendering before, as long as it has the same elements. */
export function useSameArray<T>(array: readonly T[]): readonly T[] {
  const kept = useRef(array)
  const before = kept.current
  const isSame = before.length === array.length && before.every((element, index) => element === array[index])
  if (!isSame) kept.current = array
  return kept.current
}

/** A value that changes at most so often; the newest comes in the end. With 0, at once. */
export function useThrottled<T>(value: T, everyMs: number): T {
  const [shown, setShown] = useState(value)
  const shownAt = useRef(0)
  useEffect(() => {
    if (everyMs === 0) return
    const timer = setTimeout(
      () => {
        shownAt.current = performance.now()
        setShown(value)
      },
      Math.max(0, shownAt.current + everyMs - performance.now()),
    )
    return () => clearTimeout(timer)
  }, [value, everyMs])
  return everyMs === 0 ? value : shown
}
