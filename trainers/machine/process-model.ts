import { Random, seedOf } from '../random.ts'
import { type MachineProfile, profileOf } from './profiles.ts'

export const regimes = ['idle', 'run', 'overload'] as const
export const toolStates = ['sharp', 'worn'] as const
export type Regime = (typeof regimes)[number]

/** One minute of one machine. */
export interface Reading {
  regime: Regime
  tool_state: (typeof toolStates)[number]
  /** Percent of rated torque. */
  load_pct: number
  speed_rpm: number
  temperature_c: number
  /** RMS velocity. */
  vibration_mm_s: number
  current_a: number
  power_kw: number
  /** 0 new, 1 fully worn. */
  tool_wear: number
}

const stepMin = 1
const wornFrom = 0.7
/** Where each regime goes when it ends, and the mean time until then. */
const transitions: Record<Regime, { meanDwellMin: number; next: Record<Regime, number> }> = {
  idle: { meanDwellMin: 15, next: { idle: 0, run: 1, overload: 0 } },
  run: { meanDwellMin: 40, next: { idle: 0.55, run: 0, overload: 0.45 } },
  overload: { meanDwellMin: 12, next: { idle: 0.2, run: 0.8, overload: 0 } },
}
const meanLoad: Record<Regime, number> = { idle: 0.04, run: 0.65, overload: 1.2 }
const loadInertia = 0.8
const loadNoise: Record<Regime, number> = { idle: 0.008, run: 0.06, overload: 0.05 }

/**
 * The readings of `minutes` successive minutes. The same machine id and seed give the same readings;
 * machines of one family differ by a few percent in their rated values.
 */
export function simulateMachine(machineId: string, minutes: number, seed: number): Reading[] {
  const random = new Random(seedOf('machine', machineId, seed))
  const profile = individual(profileOf(machineId), machineId)
  let regime: Regime = 'idle'
  let load = meanLoad.idle
  let temperatureC = profile.ambientC
  let wear = random.uniform() * 0.5
  let changeToolAt = 0.85 + 0.15 * random.uniform()
  const readings: Reading[] = []

  for (let minute = 0; minute < minutes; minute++) {
    const { meanDwellMin, next } = transitions[regime]
    if (random.uniform() < stepMin / meanDwellMin) {
      regime = regimes[random.choice(regimes.map((name) => next[name]))] as Regime
    }
    load = meanLoad[regime] + loadInertia * (load - meanLoad[regime]) + loadNoise[regime] * random.normal()
    load = Math.min(1.6, Math.max(0, load))

    const settledC = profile.ambientC + profile.temperatureRiseC * load ** 2
    temperatureC += (stepMin / profile.thermalTimeConstantMin) * (settledC - temperatureC)
    wear += (stepMin / 60 / profile.wearLifeH) * load ** 1.5
    if (wear >= changeToolAt) {
      wear = 0
      changeToolAt = 0.85 + 0.15 * random.uniform()
    }
    readings.push(measure(profile, regime, load, temperatureC, wear, random))
  }
  return readings
}

function measure(
  profile: MachineProfile,
  regime: Regime,
  load: number,
  temperatureC: number,
  wear: number,
  random: Random,
): Reading {
  const noise = (relative: number) => 1 + relative * random.normal()
  const targetRpm =
    regime === 'idle' ? profile.idleSpeedRpm : profile.noLoadSpeedRpm * (1 - profile.slip * load)
  const speedRpm = targetRpm * noise(0.004)
  const relativeSpeed = speedRpm / profile.noLoadSpeedRpm
  const powerKw =
    (profile.noLoadPowerKw + (profile.ratedPowerKw * load * relativeSpeed) / profile.efficiency) *
    noise(0.015)
  const currentA = ((1000 * powerKw) / (Math.sqrt(3) * profile.voltageV * profile.powerFactor)) * noise(0.01)
  const vibrationMmS =
    profile.baseVibrationMmS *
    relativeSpeed *
    (1 + 1.8 * wear ** 2) *
    (1 + 0.5 * Math.max(0, load - 1)) *
    Math.exp(0.07 * random.normal())
  return {
    regime,
    tool_state: wear >= wornFrom ? 'worn' : 'sharp',
    load_pct: 100 * load,
    speed_rpm: speedRpm,
    temperature_c: temperatureC + 0.3 * random.normal(),
    vibration_mm_s: vibrationMmS,
    current_a: currentA,
    power_kw: powerKw,
    tool_wear: wear,
  }
}

/** No two machines are alike: the values that differ between units of one type, by about 3 %. */
function individual(profile: MachineProfile, machineId: string): MachineProfile {
  const random = new Random(seedOf('individual', machineId))
  const vary = (value: number) => value * (1 + 0.03 * random.normal())
  return {
    ...profile,
    temperatureRiseC: vary(profile.temperatureRiseC),
    thermalTimeConstantMin: vary(profile.thermalTimeConstantMin),
    baseVibrationMmS: vary(profile.baseVibrationMmS),
    noLoadPowerKw: vary(profile.noLoadPowerKw),
    wearLifeH: vary(profile.wearLifeH),
  }
}
