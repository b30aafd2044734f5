import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type CryptoKey, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'

/** An identity provider on loopback: a key set over HTTP, and tokens. */
export interface TestIssuer {
  readonly url: string
  /** Times that the set was asked for. */
  readonly fetches: number
  /** What is answered instead of the set. */
  reply: { readonly status: number; readonly body: string } | undefined
  /** A new key, which signs from now on; `publish: false` keeps it out of the set. */
  newKey(kid: string, options?: { readonly publish?: boolean }): Promise<void>
  /** A token with these claims, by the present key. */
  token(claims: JWTPayload, header?: { readonly alg?: string; readonly kid?: string }): Promise<string>
  close(): Promise<void>
}

/** Starts with one key, `first`. */
export async function startIssuer(): Promise<TestIssuer> {
  const keys: object[] = []
  let signing: { readonly kid: string; readonly key: CryptoKey } | undefined
  let fetches = 0
  const server: Server = createServer((_, response) => {
    fetches += 1
    const { status, body } = issuer.reply ?? { status: 200, body: JSON.stringify({ keys }) }
    response.writeHead(status, { 'content-type': 'application/json' }).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer: TestIssuer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`,
    get fetches() {
      return fetches
    },
    reply: undefined,
    async newKey(kid, { publish = true } = {}) {
      const { publicKey, privateKey } = await generateKeyPair('ES256')
      if (publish) keys.push({ ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' })
      signing = { kid, key: privateKey }
    },
    token(claims, header = {}) {
      const { kid, key } = signing as { readonly kid: string; readonly key: CryptoKey }
      return new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid, ...header } as never).sign(key)
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
  await issuer.newKey('first')
  return issuer
}
