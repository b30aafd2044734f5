import { isIP } from 'node:net'
import { type ConnectionOptions, checkServerIdentity } from 'node:tls'
import type { Target } from './target.ts'

/** Options of node:tls for a target; false where TLS is off. The private key is in clear: hand it to the socket and no further. */
export function tlsOptions({ host, tls }: Target): false | ConnectionOptions {
  const { mode, ca, cert, key, serverName } = tls
  if (mode === 'disable') return false
  return {
    minVersion: 'TLSv1.2',
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key: key.reveal() }),
    // SNI must not be an address (RFC 6066, section 3).
    ...(isIP(serverName) === 0 && isIP(host) !== 0 ? { servername: serverName } : {}),
    rejectUnauthorized: mode !== 'require',
    checkServerIdentity: (_name, certificate) =>
      mode === 'verify-full' ? checkServerIdentity(serverName, certificate) : undefined,
  }
}
