type Pair = readonly [number, number]

interface Touched {
  /** One finger is at a place, in pixels from the left. */
  readonly onPoint: (left: number) => void
  /** Two begin to hold what is at their places. */
  readonly onHold: (lefts: Pair) => void
  readonly onMove: (lefts: Pair) => void
  /** They have let go. */
  readonly onEnd: () => void
}

/** Lets fingers use a chart. What goes up and down is the page's (`touch-action` in charts.css). */
export function followFingers(target: HTMLElement, { onPoint, onHold, onMove, onEnd }: Touched): void {
  const lefts = new Map<number, number>()
  const pair = () => [...lefts.values()] as unknown as Pair
  const leftOf = ({ clientX }: PointerEvent) => clientX - target.getBoundingClientRect().left
  target.addEventListener('pointerdown', (event) => {
    if (event.pointerType !== 'touch' || lefts.size === 2) return
    lefts.set(event.pointerId, leftOf(event))
    if (lefts.size === 2) onHold(pair())
    else onPoint(leftOf(event))
  })
  target.addEventListener('pointermove', (event) => {
    if (!lefts.has(event.pointerId)) return
    lefts.set(event.pointerId, leftOf(event))
    if (lefts.size === 2) onMove(pair())
    else onPoint(leftOf(event))
  })
  const letGo = (event: PointerEvent) => {
    const isEnd = lefts.size === 2
    if (lefts.delete(event.pointerId) && isEnd) onEnd()
  }
  target.addEventListener('pointerup', letGo)
  target.addEventListener('pointercancel', letGo)
}
