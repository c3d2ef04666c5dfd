import type { DocumentNode } from 'graphql'
import { printDocument } from './print-document.ts'

export interface DocumentRequest {
  readonly query: string
  readonly extensions?: { readonly persistedQuery: { readonly version: 1; readonly sha256Hash: string } }
}

/**
 * What a request says of its document: its text, and the id that code generation gave it, under which a server that
 * runs only the documents of a manifest knows it.
 */
export function requestFor(document: DocumentNode): DocumentRequest {
  const hash = (document as { __meta__?: { hash?: string } }).__meta__?.hash
  const query = printDocument(document)
  return hash === undefined
    ? { query }
    : { query, extensions: { persistedQuery: { version: 1, sha256Hash: hash } } }
}
