import { GraphQLError } from 'graphql'
import type { GraphQLParams, Plugin } from 'graphql-yoga'
import { parseJson } from '../task/json.ts'
import { notJson } from './not-json.ts'

/** Operations in a URL, with the words and the care that JSON bodies get (`json-post.ts`). */
export function urlParams(): Plugin {
  return {
    onRequestParse({ request, url, setRequestParser }) {
      if (request.method === 'GET') setRequestParser(() => paramsOf(url.searchParams))
    },
  }
}

/** @throws GraphQLError BAD_REQUEST */
export function paramsOf(given: URLSearchParams): GraphQLParams {
  return {
    ...textParam(given, 'operationName'),
    ...textParam(given, 'query'),
    ...textParam(given, 'documentId'),
    ...jsonParam(given, 'variables'),
    ...jsonParam(given, 'extensions'),
  }
}

function textParam(given: URLSearchParams, name: 'operationName' | 'query' | 'documentId') {
  const text = given.get(name)
  return text ? { [name]: text } : {}
}

function jsonParam(given: URLSearchParams, name: 'variables' | 'extensions') {
  const text = given.get(name)
  if (!text) return {}
  try {
    return { [name]: parseJson(text) as Record<string, unknown> }
  } catch (error) {
    const { message, extensions } = notJson(text, error, {
      what: `the parameter ${name}`,
      path: [name],
      expected: 'a JSON object',
    })
    throw new GraphQLError(message, { extensions: { ...extensions, http: { status: 400 } } })
  }
}
