import { expect, it, vi } from 'vitest'
import { webSocketUrl } from '../../clients/typescript/socket.ts'

it('the address of the socket is that of the endpoint, which a page may give as a path', () => {
  expect(webSocketUrl('http://host:4000/graphql')).toBe('ws://host:4000/graphql')
  expect(webSocketUrl('https://host/graphql?a=1')).toBe('wss://host/graphql?a=1')
  vi.stubGlobal('location', { href: 'https://page.example/runs/7?x' })
  expect(webSocketUrl('/graphql')).toBe('wss://page.example/graphql')
  expect(webSocketUrl('http://host/graphql')).toBe('ws://host/graphql')
  // As React Native's does.
  vi.stubGlobal(
    'URL',
    class {
      href = 'https://host/graphql/'
    },
  )
  expect(webSocketUrl('https://host/graphql')).toBe('wss://host/graphql')
  vi.unstubAllGlobals()
})
