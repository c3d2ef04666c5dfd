import { expect, it } from 'vitest'
import { type Reading, type Regime, simulateMachine } from '../../../trainers/machine/process-model.ts'
import { profileOf } from '../../../trainers/machine/profiles.ts'

const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

it('a machine and a seed give the same readings; another machine or seed does not', () => {
  const readings = simulateMachine('motor_siemens_001', 50, 1)
  expect(simulateMachine('motor_siemens_001', 50, 1)).toEqual(readings)
  expect(simulateMachine('motor_siemens_001', 50, 2)).not.toEqual(readings)
  expect(simulateMachine('motor_siemens_002', 50, 1)).not.toEqual(readings)
})

it('an unknown family is a generic machine', () => {
  expect(profileOf('cnc_brother_speedio_001').family).toBe('cnc')
  expect(profileOf('lathe_001').family).toBe('generic')
})

it.each(['motor_siemens_001', 'cnc_brother_speedio_001', 'lathe_001'])(
  '%s behaves as the physics asks',
  (machineId) => {
    const profile = profileOf(machineId)
    const readings = simulateMachine(machineId, 5000, 3)
    const of = (regime: Regime, name: keyof Reading) =>
      mean(readings.filter((reading) => reading.regime === regime).map((reading) => Number(reading[name])))
    for (const name of ['load_pct', 'temperature_c', 'current_a', 'power_kw'] as const) {
      expect(of('idle', name)).toBeLessThan(of('run', name))
      expect(of('run', name)).toBeLessThan(of('overload', name))
    }
    expect(of('idle', 'vibration_mm_s')).toBeLessThan(of('run', 'vibration_mm_s'))

    const all = (name: keyof Reading) => readings.map((reading) => Number(reading[name]))
    expect(Math.min(...all('temperature_c'))).toBeGreaterThan(profile.ambientC - 3)
    expect(Math.max(...all('speed_rpm'))).toBeLessThan(profile.noLoadSpeedRpm * 1.05)
    expect(Math.min(...all('tool_wear'))).toBeGreaterThanOrEqual(0)
    expect(Math.max(...all('tool_wear'))).toBeLessThanOrEqual(1)
    // The temperature lags: it moves by a few degrees a minute where the load jumps at once.
    const temperatures = all('temperature_c')
    const steps = temperatures.slice(1).map((after, index) => Math.abs(after - (temperatures[index] ?? 0)))
    expect(Math.max(...steps)).toBeLessThan(profile.temperatureRiseC * 0.3)
  },
)
