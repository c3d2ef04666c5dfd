// Runs before `npm run test:viewers`: sees to it that the small environment of these clients is there.
import { join } from 'node:path'
import { environmentPython, provideEnvironment } from '../environment.js'
import { basePython } from '../provide.js'

const REQUIREMENTS = join(import.meta.dirname, 'requirements.txt')

/** The Python of these clients, whether or not it is there already. */
export const viewersPython = () => environmentPython('viewers', basePython().path, REQUIREMENTS)

if (process.argv[1] === import.meta.filename) provideEnvironment('viewers', basePython().path, REQUIREMENTS)
