/** Path of a Chromium or Chrome on this machine; `CHROMIUM_PATH` comes first. */
export function findChromium(): string | undefined

/** Path of a redis-server on this machine; `REDIS_SERVER_PATH` comes first. */
export function findRedisServer(): string | undefined
