/** Rated values of one machine; README.md has the process model they enter. */
export interface MachineProfile {
  family: string
  /** Mechanical power at load 1. */
  ratedPowerKw: number
  /** Electrical power at no load. */
  noLoadPowerKw: number
  efficiency: number
  powerFactor: number
  /** Three-phase line voltage. */
  voltageV: number
  /** Speed at load 0 while running; it falls by `slip` × load. */
  noLoadSpeedRpm: number
  slip: number
  idleSpeedRpm: number
  ambientC: number
  /** Rise over ambient that load 1 settles at. */
  temperatureRiseC: number
  thermalTimeConstantMin: number
  /** RMS velocity of the unworn machine at no-load speed. */
  baseVibrationMmS: number
  /** Hours at load 1 from new to fully worn: of the tool, or of a motor's bearing grease. */
  wearLifeH: number
}

const generic: MachineProfile = {
  family: 'generic',
  ratedPowerKw: 5.5,
  noLoadPowerKw: 0.5,
  efficiency: 0.86,
  powerFactor: 0.82,
  voltageV: 400,
  noLoadSpeedRpm: 1500,
  slip: 0.03,
  idleSpeedRpm: 600,
  ambientC: 22,
  temperatureRiseC: 45,
  thermalTimeConstantMin: 20,
  baseVibrationMmS: 1.2,
  wearLifeH: 8,
}

const families: readonly MachineProfile[] = [
  {
    ...generic,
    family: 'motor',
    ratedPowerKw: 7.5,
    noLoadPowerKw: 0.45,
    efficiency: 0.9,
    powerFactor: 0.85,
    slip: 0.023,
    idleSpeedRpm: 750,
    temperatureRiseC: 60,
    thermalTimeConstantMin: 25,
    baseVibrationMmS: 0.9,
    wearLifeH: 12,
  },
  {
    ...generic,
    family: 'cnc',
    ratedPowerKw: 9,
    noLoadPowerKw: 1.1,
    noLoadSpeedRpm: 12_000,
    slip: 0.01,
    idleSpeedRpm: 1_500,
    temperatureRiseC: 28,
    thermalTimeConstantMin: 12,
    baseVibrationMmS: 0.7,
    wearLifeH: 4,
  },
  {
    ...generic,
    family: 'pump',
    ratedPowerKw: 15,
    noLoadPowerKw: 2.2,
    noLoadSpeedRpm: 2_990,
    slip: 0.015,
    idleSpeedRpm: 900,
    temperatureRiseC: 40,
    thermalTimeConstantMin: 18,
    baseVibrationMmS: 1.6,
    wearLifeH: 16,
  },
  {
    ...generic,
    family: 'compressor',
    ratedPowerKw: 30,
    noLoadPowerKw: 6,
    noLoadSpeedRpm: 2_980,
    slip: 0.012,
    idleSpeedRpm: 1_500,
    temperatureRiseC: 55,
    thermalTimeConstantMin: 30,
    baseVibrationMmS: 2.1,
    wearLifeH: 20,
  },
]

/** By the machine id's first word: `motor_siemens_001` is a motor, an unknown word a generic machine. */
export function profileOf(machineId: string): MachineProfile {
  const firstWord = machineId.split(/[_.-]/, 1)[0]?.toLowerCase()
  return families.find(({ family }) => family === firstWord) ?? generic
}
