/*
 * Who has a share or a rate, as one text: a client's address as it is, or the subject of a token.
 */

// No address has a blank in it.
const SUBJECT = 'subject '

export const subjectHolder = (subject: string): string => `${SUBJECT}${subject}`

/** For a refusal, which does not repeat who that is. */
export const wordsFor = (holder: string): string =>
  holder.startsWith(SUBJECT) ? 'this subject' : 'this address'
