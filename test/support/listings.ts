import type { Listing } from '../../src/event-log/listing.ts'

const START = Date.parse('2026-01-01T00:00:00.000Z')
const pad = (digits: string) => digits.padStart(12, '0')

/** One of many tasks, as a list has it; the same for the same serial. */
export function listingAt(serial: number): Listing {
  const hex = serial.toString(16)
  const isRare = serial === 20_000 || serial === 50_000 || serial === 99_950
  const isStalled = (isRare && serial !== 20_000) || serial === 1000
  const createdAt = START + serial * 1000
  return {
    channelPrefix: 'gan:training',
    id: `${hex.padStart(8, '0')}-0000-4000-8000-${pad(hex)}`,
    serial,
    version: 1,
    name: isRare ? `Unicorn ${serial}` : `resnet50 fold ${serial % 5} run ${serial}`,
    trainer: serial <= 50_000 ? 'tvae' : 'external',
    machineId: `machine-${serial % 300}`,
    labels: {
      team: serial % 3 ? 'vision' : 'speech',
      half: serial > 50_000 || isRare || serial === 7 ? 'b' : 'a',
      rare: { seed: isRare ? 33_333 : serial % 17 },
    },
    status: isStalled ? 'STALLED' : 'SUCCESS',
    createdAt,
    updatedAt: createdAt + 500,
    finishedAt: isStalled ? null : createdAt + 500,
  }
}
