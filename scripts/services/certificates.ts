import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Makes a throw-away authority and a server certificate for localhost and 127.0.0.1, valid for 30 days: `ca.crt`, `server.crt`,
 * `server.key` in `folder`. Needs openssl.
 */
export function makeCertificates(folder: string): void {
  const file = (name: string): string => join(folder, name)
  const openssl = (...words: string[]): void => {
    execFileSync('openssl', words, { stdio: 'pipe' })
  }
  const subject = ['-newkey', 'rsa:2048', '-nodes', '-days', '30']
  const authority = ['-subj', '/CN=switchyard-test-ca', '-addext', 'basicConstraints=critical,CA:TRUE']
  openssl('req', '-x509', ...subject, '-keyout', file('ca.key'), '-out', file('ca.crt'), ...authority)
  openssl(
    'req',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    file('server.key'),
    '-out',
    file('server.csr'),
    '-subj',
    '/CN=localhost',
  )
  writeFileSync(file('names'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n')
  const signing = ['-CA', file('ca.crt'), '-CAkey', file('ca.key'), '-CAcreateserial', '-days', '30', '-extfile', file('names')]
  openssl('x509', '-req', '-in', file('server.csr'), ...signing, '-out', file('server.crt'))
}
