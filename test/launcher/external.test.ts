import { describe } from 'vitest'
import { ExternalLauncher } from '../../src/launcher/external.ts'
import { launcherContract } from '../contract/launcher.ts'

describe('the external launcher', () => {
  launcherContract(
    async () => new ExternalLauncher(),
    () => ({ name: 'external', launcher: 'external', description: null, channelPrefix: null }),
  )
})
