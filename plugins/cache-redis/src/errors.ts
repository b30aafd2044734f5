import { type CallOptions, type ErrorCode, SwitchyardError } from '@switchyard/contract'

interface Meaning {
  readonly code: ErrorCode
  readonly retryable?: boolean
  /** What to do about it, where that is not plain from the server's words. */
  readonly mend?: string
}

const GONE: Meaning = { code: 'UPSTREAM_UNAVAILABLE' }
const REJECTED: Meaning = {
  code: 'UPSTREAM_REJECTED',
  retryable: false,
  mend: 'see the options username and password',
}

/** First word of an error reply: https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  READONLY: { code: 'UPSTREAM_UNAVAILABLE', mend: 'this node is a replica now; the client connects anew to find the master' },
  MASTERDOWN: GONE,
  NOREPLICAS: GONE,
  LOADING: { code: 'UPSTREAM_UNAVAILABLE', mend: 'it is reading its data and will answer soon' },
  BUSY: { code: 'OVERLOADED', mend: 'a script of somebody blocks it' },
  TRYAGAIN: GONE,
  CLUSTERDOWN: GONE,
  MOVED: { code: 'UPSTREAM_UNAVAILABLE', mend: 'it is a Redis Cluster: give its nodes in the option cluster' },
  ASK: { code: 'UPSTREAM_UNAVAILABLE', mend: 'it is a Redis Cluster: give its nodes in the option cluster' },
  CROSSSLOT: { code: 'INVALID_REQUEST', mend: 'keys of one call need one {tag}' },
  OOM: { code: 'OVERLOADED', mend: 'raise maxmemory, or give Switchyard a Redis of its own' },
  MISCONF: { code: 'UPSTREAM_UNAVAILABLE', mend: 'it cannot save to disk and so takes no writes' },
  NOAUTH: REJECTED,
  WRONGPASS: REJECTED,
  NOPERM: {
    code: 'UPSTREAM_REJECTED',
    retryable: false,
    mend: 'the README lists the commands, keys and channels that the user needs',
  },
  NOPROTO: { code: 'UPSTREAM_INVALID', retryable: false },
  WRONGTYPE: {
    code: 'UPSTREAM_INVALID',
    retryable: false,
    mend: 'somebody else writes under the same keyPrefix; choose another',
  },
  UNKILLABLE: GONE,
  NOSCRIPT: GONE,
}

const SOCKET = /^(?:ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_|EHOST|ENET|EADDR|ENOENT|EACCES|EPROTO|ERR_STREAM|ERR_SOCKET)/
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_|ERR_TLS_|ERR_OSSL_|HOSTNAME_MISMATCH|CRL_|ERR_SSL_/
/** What ioredis says, in words only, of a command that it did not write. */
const UNSENT = /enableOfflineQueue options is false|^Cluster isn't ready|startup nodes|All sentinels are unreachable/
/** And of one that it lost. */
const LOST =
  /Connection is closed|max retries per request|connection close|Socket timeout|Cluster is ended|No subscriber|redirections|Failed to refresh slots/i

/**
 * What ioredis or the server threw, as a SwitchyardError; one that is so already is returned as it is. `details.vendorCode` is the
 * first word of the server's reply or the socket's code; `details.sent` is false where the command did not leave. An error of the
 * server's has no `cause`: ioredis hangs the command's arguments on it, which may be a password.
 */
export function toSwitchyardError(error: unknown): SwitchyardError {
  if (SwitchyardError.is(error)) return error
  const {
    name,
    code,
    message = String(error),
  } = (error ?? {}) as {
    readonly name?: unknown
    readonly code?: unknown
    readonly message?: string
  }
  if (name === 'ReplyError') return ofServer(message)
  const inner = (error as { readonly lastNodeError?: unknown } | undefined)?.lastNodeError
  if (inner instanceof Error) return toSwitchyardError(inner)
  if (UNSENT.test(message)) {
    const words =
      'redis: it cannot be reached now, and the command was not sent; see whether it runs at the address of the options'
    return new SwitchyardError('UPSTREAM_UNAVAILABLE', words, { details: { sent: false } })
  }
  if (typeof code === 'string' && CERTIFICATE.test(code)) {
    const words = `redis: TLS failed: ${message}; see the options tls.ca and tls.serverName, and for a client certificate tls.cert and tls.key`
    return new SwitchyardError('UPSTREAM_REJECTED', words, { retryable: false, details: { vendorCode: code }, cause: error })
  }
  if (typeof code === 'string' && SOCKET.test(code)) {
    return new SwitchyardError('UPSTREAM_UNAVAILABLE', `redis: ${message}`, { details: { vendorCode: code }, cause: error })
  }
  if (LOST.test(message)) {
    const words = 'redis: the connection was lost before the reply came, so the command may have been carried out or not'
    return new SwitchyardError('UPSTREAM_UNAVAILABLE', words)
  }
  if (/Protocol error|wrong version number/i.test(message)) {
    const words = 'redis: what answers does not speak the protocol of Redis, or TLS is on at one side only; see the cause'
    return new SwitchyardError('UPSTREAM_INVALID', words, { retryable: false, cause: error })
  }
  return new SwitchyardError('INTERNAL', 'redis: an error that cache-redis does not know; see its cause', { cause: error })
}

/** Redis 6 wraps what a script's command met into an error of its own: `ERR Error running script ...: -OOM command not allowed`. */
function ofServer(message: string): SwitchyardError {
  const first = message.split(' ', 1)[0] as string
  const wrapped = first === 'ERR' ? /(?:^|\s)-([A-Z]+) /.exec(message)?.[1] : undefined
  const word = wrapped ?? first
  const known = MEANINGS[word] ?? ofText(message)
  const { code, retryable, mend } = known ?? { code: 'UPSTREAM_INVALID' as const, retryable: false }
  const words = `redis: ${message}${mend === undefined ? '' : `; ${mend}`}`
  return new SwitchyardError(code, words, { ...(retryable === undefined ? {} : { retryable }), details: { vendorCode: word } })
}

/** Replies that begin with ERR say what they mean in words only. */
function ofText(message: string): Meaning | undefined {
  if (/without any password configured|invalid password|Authentication required/i.test(message)) return REJECTED
  if (/DB index is out of range|SELECT is not allowed in cluster/i.test(message)) {
    return { code: 'UPSTREAM_REJECTED', retryable: false, mend: 'see the option db' }
  }
  if (/max number of clients/i.test(message)) return { code: 'OVERLOADED' }
  if (/unknown command/i.test(message)) {
    return { code: 'UPSTREAM_REJECTED', retryable: false, mend: 'Redis 6.2 or later with scripting is needed' }
  }
  return undefined
}

/** The reason of an abort where it is a SwitchyardError, as the kernel's are, else `ABORTED`. */
export function abortError(signal: AbortSignal): SwitchyardError {
  if (SwitchyardError.is(signal.reason)) return signal.reason
  return new SwitchyardError('ABORTED', 'redis: the caller aborted the call', { cause: signal.reason })
}

/** @throws SwitchyardError as {@link abortError} has it, where the signal is aborted. */
export function throwIfAborted(options: CallOptions | undefined): void {
  if (options?.signal?.aborted === true) throw abortError(options.signal)
}

/** `INVALID_REQUEST`: what the caller gave can never work. */
export function invalid(message: string): SwitchyardError {
  return new SwitchyardError('INVALID_REQUEST', message)
}
