import { execFileSync, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Whose the client's certificate is. */
export const CERTIFIED_USER = 'certified'

/** Whether certificates can be made here. */
export function hasOpenssl(): boolean {
  return spawnSync('openssl', ['version'], { stdio: 'ignore' }).status === 0
}

/**
 * Makes a throw-away authority and what it signs, valid for 30 days, in `folder`: `ca.crt`; `server.crt` and `server.key` for
 * localhost and 127.0.0.1; `client.crt` and `client.key` for the user `certified`. Needs openssl.
 */
export function makeCertificates(folder: string): void {
  const file = (name: string): string => join(folder, name)
  const openssl = (...words: string[]): void => {
    execFileSync('openssl', words, { stdio: 'pipe' })
  }
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '30']
  const authority = ['-subj', '/CN=switchyard-test-ca', '-addext', 'basicConstraints=critical,CA:TRUE']
  openssl('req', '-x509', ...key, '-keyout', file('ca.key'), '-out', file('ca.crt'), ...authority)

  const sign = (name: string, subject: string, ...extensions: string[]): void => {
    openssl('req', ...key, '-keyout', file(`${name}.key`), '-out', file(`${name}.csr`), '-subj', `/CN=${subject}`)
    const signing = ['-CA', file('ca.crt'), '-CAkey', file('ca.key'), '-CAcreateserial', '-days', '30', ...extensions]
    openssl('x509', '-req', '-in', file(`${name}.csr`), ...signing, '-out', file(`${name}.crt`))
  }
  writeFileSync(file('names'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n')
  sign('server', 'localhost', '-extfile', file('names'))
  sign('client', CERTIFIED_USER)
}
