/** Path of a Chromium or Chrome on this machine; `CHROMIUM_PATH` comes first. */
export function findChromium(): string | undefined
