import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createEgress, type EgressOptions } from '../src/index.ts'
import { textOf } from './support.ts'

function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

describe.skipIf(!hasOpenssl())('TLS (needs the openssl command for a certificate)', () => {
  let server: Server
  let ca: Buffer
  let port: number
  const seen: { servername: string | false | null; host: string | undefined }[] = []

  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'egress-tls-'))
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
    const subject = ['-subj', '/CN=api.test', '-addext', 'subjectAltName=DNS:api.test']
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
    execFileSync('openssl', ['req', '-x509', ...curve, '-keyout', key, '-out', cert, '-days', '2', ...subject], {
      stdio: 'ignore',
    })
    ca = readFileSync(cert)
    server = createServer({ key: readFileSync(key), cert: ca }, (request, response) => {
      seen.push({
        servername: (request.socket as TLSSocket & { servername: string | false }).servername,
        host: request.headers.host,
      })
      response.end('secure')
    })
    rmSync(folder, { recursive: true })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    port = (server.address() as AddressInfo).port
  })

  afterAll(() => server.close())

  const lookup: EgressOptions['lookup'] = async () => [{ address: '127.0.0.1', family: 4 }]

  test('SNI, Host and certificate are those of the name, the socket goes to the vetted address', async () => {
    const egress = createEgress({ allow: ['127.0.0.1'] }, { lookup, tls: { ca } })
    for (let round = 0; round < 2; round++) {
      expect(await textOf((await egress.request(`https://api.test.:${port}/`)).body)).toBe('secure')
    }
    expect(seen.at(-1)).toEqual({ servername: 'api.test', host: `api.test:${port}` })
    expect(egress.stats().open).toBe(1)
    await egress.close()
  })

  test('a certificate for another name, or of nobody known, sends nothing', async () => {
    const before = seen.length
    for (const [host, tls] of [
      ['other.test', { ca }],
      ['api.test', undefined],
    ] as const) {
      const egress = createEgress({ allow: ['127.0.0.1'] }, { lookup, ...(tls === undefined ? {} : { tls }) })
      await expect(egress.request(`https://${host}:${port}/`)).rejects.toMatchObject({
        code: 'UPSTREAM_UNAVAILABLE',
        details: { sent: false },
      })
      expect(egress.stats()).toMatchObject({ origins: 0, busy: 0 })
      await egress.close()
    }
    expect(seen.length).toBe(before)
  })

  test('a private address is refused before the handshake', async () => {
    const egress = createEgress({}, { lookup, tls: { ca } })
    await expect(egress.request(`https://api.test:${port}/`)).rejects.toMatchObject({ code: 'POLICY_REFUSED' })
    await egress.close()
  })
})
