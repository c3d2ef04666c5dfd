/** The samples of Prometheus's text format, by name and labels as they stand there. */
export function samplesOf(text: string): Map<string, number> {
  const samples = new Map<string, number>()
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    const [, name, value] = /^(.*\S) (\S+)$/.exec(line) ?? []
    if (name === undefined || value === undefined) throw new Error(`no sample: ${line}`)
    if (samples.has(name)) throw new Error(`twice: ${name}`)
    samples.set(name, value === 'Nan' ? Number.NaN : Number(value.replace('+Inf', 'Infinity')))
  }
  return samples
}

export async function metricsAt(url: string): Promise<Map<string, number>> {
  const response = await fetch(url)
  const text = await response.text()
  if (!response.ok) throw new Error(`${response.status}: ${text}`)
  return samplesOf(text)
}
