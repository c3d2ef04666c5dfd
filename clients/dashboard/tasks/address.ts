/** A task as the pages name it in their addresses. */
export interface TaskRef {
  readonly channelPrefix: string
  readonly id: string
}

export const pathOf = ({ channelPrefix, id }: TaskRef): string =>
  `/tasks/${encodeURIComponent(channelPrefix)}/${encodeURIComponent(id)}`

/** Several tasks in one parameter; neither prefixes nor ids have a slash or a comma. */
export const refsText = (refs: readonly TaskRef[]): string =>
  refs.map(({ channelPrefix, id }) => `${channelPrefix}/${id}`).join(',')

/** Each once. */
export const refsOf = (text: string | null): TaskRef[] =>
  [...new Set((text ?? '').split(','))].flatMap((part) => {
    const [channelPrefix, id] = part.split('/')
    return channelPrefix && id ? [{ channelPrefix, id }] : []
  })

export const comparePath = (refs: readonly TaskRef[]): string =>
  `/compare?${new URLSearchParams({ runs: refsText(refs) })}`
