type Env = Readonly<Record<string, string | undefined>>

/**
 * What a trainer gets of the server's environment, by name; `*` at the end stands for any ending. What a program needs
 * to run, and nothing that is made to hold a secret: no tokens, no URLs (those of databases and proxies have passwords
 * in them), nothing of a cloud.
 */
const DEFAULT_NAMES = [
  ...['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'TMPDIR', 'TZ', 'LANG', 'LANGUAGE', 'LC_*', 'XDG_*'],
  ...['LD_LIBRARY_PATH', 'DYLD_LIBRARY_PATH', 'SSL_CERT_FILE', 'SSL_CERT_DIR', 'REQUESTS_CA_BUNDLE'],
  ...['PYTHON*', 'VIRTUAL_ENV', 'CONDA_PREFIX', 'CONDA_DEFAULT_ENV', 'CONDA_EXE', 'CONDA_PYTHON_EXE'],
  ...['NODE_PATH', 'NODE_EXTRA_CA_CERTS'],
  // Devices, threads and collective communication.
  ...['CUDA_*', 'NVIDIA_*', 'NCCL_*', 'ROCR_*', 'HIP_*', 'HSA_*', 'GLOO_*'],
  ...['OMP_*', 'KMP_*', 'MKL_*', 'OPENBLAS_*', 'NUMEXPR_*', 'VECLIB_*', 'TOKENIZERS_PARALLELISM'],
  ...['TORCH_*', 'PYTORCH_*', 'TF_*', 'XLA_*', 'JAX_*'],
  // Not HF_*: HF_TOKEN is one of them.
  ...['HF_HOME', 'HF_HUB_CACHE', 'HF_HUB_OFFLINE', 'HF_DATASETS_CACHE', 'TRANSFORMERS_CACHE'],
] as const

/** The variables of the server that trainers get. */
export class TrainerEnv {
  readonly #env: Env
  readonly #names: readonly string[]

  /** @param names what is passed beside the default */
  constructor(env: Env, names: readonly string[]) {
    this.#env = env
    this.#names = [...DEFAULT_NAMES, ...names]
  }

  /**
   * @param names what one trainer gets beside what all get
   * @returns those that are set. Epochcast's own settings are never among them, and REDIS_URL only by its whole name
   */
  pick(names: readonly string[] = []): Readonly<Record<string, string>> {
    const isPassed = matcher([...this.#names, ...names])
    const picked: Record<string, string> = {}
    for (const [name, value] of Object.entries(this.#env)) {
      if (value !== undefined && isPassed(name)) picked[name] = value
    }
    return picked
  }
}

/** Whether a text names a variable, or all that begin alike. */
export const isEnvPattern = (text: string): boolean =>
  /^(?!EPOCHCAST_)[A-Za-z_][A-Za-z0-9_]*\*?$|^\*$/.test(text)

export const ENV_PATTERN =
  'names of variables such as WANDB_API_KEY or AWS_*, none of them beginning with EPOCHCAST_'

function matcher(patterns: readonly string[]): (name: string) => boolean {
  const whole = new Set(patterns.filter((pattern) => !pattern.endsWith('*')))
  const beginnings = patterns
    .filter((pattern) => pattern.endsWith('*'))
    .map((pattern) => pattern.slice(0, -1))
  return (name) =>
    !name.startsWith('EPOCHCAST_') &&
    (whole.has(name) || (name !== 'REDIS_URL' && beginnings.some((beginning) => name.startsWith(beginning))))
}
