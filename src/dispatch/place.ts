import { canReserve, type Launcher, type Reservation } from '../launcher/launcher.ts'

/** A place in a launcher's queue; a launcher without reservations takes what comes. */
export function placeIn(launcher: Launcher): Reservation {
  if (canReserve(launcher)) return launcher.reserve()
  return { submit: (job) => launcher.submit(job), release: () => {} }
}
