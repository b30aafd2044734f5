import type { Server } from 'node:http'
import { access, type Logger } from '@switchyard/contract'
import { type Assembly, type Kernel, startKernel } from '@switchyard/kernel'
import { isLoopback, keepsKeys, noKeyYet, refuseOpenHost } from './config/open-host.ts'
import type { Settings } from './config/settings.ts'
import { directoryOf } from './directory-of.ts'
import type { ModelDirectory } from './model-directory.ts'
import { withPassages } from './passage.ts'
import { type Authenticate, type AuthenticatorParts, authenticator, keyNeeded } from './principal.ts'
import { applyTimes, listen, serverFor } from './server/http-server.ts'

/** What a request is answered from. Replaced whole by a reload, so that one request never sees two configurations. */
export interface Live {
  readonly settings: Settings
  readonly authenticate: Authenticate
  /** Whether a call must bring a key; true for good once there was one. */
  keyNeeded(): boolean
  readonly directory: ModelDirectory
}

export interface Gateway {
  /** `http://HOST:PORT`. */
  readonly url: string
  readonly kernel: Kernel
  live(): Live
  /**
   * Starts the new assembly beside the old, moves new requests over and drains the old. A failing start rejects and changes nothing;
   * so does a configuration without keys where the server listens for other machines (`CONFIG_INVALID`).
   * Host, port and header limits keep their value until a restart; a warning says so.
   */
  reload(next: Configured): Promise<void>
  /** Readiness off, drain to `server.drainTimeoutMs`, close. Idempotent. */
  close(options?: { readonly drainDelayMs?: number }): Promise<void>
}

/** Settings with the plugins they choose. */
export interface Configured {
  readonly settings: Settings
  readonly assembly: Assembly
}

/**
 * Starts the kernel and listens.
 * Rejects with SwitchyardError: `CONFIG_INVALID` for an assembly that cannot be, or for an open host without keys; `STARTUP_FAILED`.
 */
export async function startGateway(configured: Configured, options: { readonly log: Logger }): Promise<Gateway> {
  const { log } = options
  const { settings } = configured
  const bound = settings.server
  refuseOpenHost(bound.host, settings.auth, keepsKeys(configured.assembly.plugins))
  const local = isLoopback(bound.host)
  const kernel = await startKernel(withPassages(configured.assembly), { log, drainTimeoutMs: bound.drainTimeoutMs })
  let live: Live
  let draining = false
  let server: Server
  try {
    const doors = doorsOf(settings, kernel, local)
    live = liveOf(settings, kernel, doors)
    if (!local && doors.keys.length === 0 && doors.access?.configured() !== true) throw noKeyYet(bound.host)
    server = serverFor({ kernel, log, live: () => live, draining: () => draining })
    await listen(server, bound, log)
  } catch (error) {
    await kernel.close()
    throw error
  }
  const url = urlOf(server, bound.host)
  let closed: Promise<void> | undefined
  let reloading: Promise<void> = Promise.resolve()

  /** One after the other, or the listener of one would take the swap of another for its own. */
  function reload(next: Configured): Promise<void> {
    const done = reloading.then(() => move(next))
    reloading = done.catch(() => {})
    return done
  }

  async function move(next: Configured): Promise<void> {
    refuseOpenHost(bound.host, next.settings.auth, keepsKeys(next.assembly.plugins))
    const fixed = (['host', 'port', 'maxHeaderBytes'] as const).filter((name) => next.settings.server[name] !== bound[name])
    if (fixed.length > 0) log.warn({ settings: fixed }, 'changed in the configuration, but only a restart applies it')
    // Throws for keys that cannot be, before anything moves.
    authenticator({ keys: next.settings.auth.keys, local })
    const moved = kernel.swap(withPassages(next.assembly))
    const off = kernel.on('assembly:swapped', () => {
      live = liveOf(next.settings, kernel, doorsOf(next.settings, kernel, local))
      applyTimes(server, next.settings.server)
    })
    await moved.finally(off)
  }

  async function shut(drainDelayMs: number): Promise<void> {
    draining = true
    if (drainDelayMs > 0) await new Promise((resolve) => setTimeout(resolve, drainDelayMs))
    const stopped = new Promise<void>((resolve) => server.close(() => resolve()))
    server.closeIdleConnections()
    await kernel.close({ drainTimeoutMs: live.settings.server.drainTimeoutMs })
    server.closeIdleConnections()
    const grace = setTimeout(() => server.closeAllConnections(), 1_000)
    await stopped
    clearTimeout(grace)
  }

  return {
    url,
    kernel,
    live: () => live,
    reload,
    close(how) {
      closed ??= shut(how?.drainDelayMs ?? 0)
      return closed
    },
  }
}

function liveOf(settings: Settings, kernel: Kernel, doors: AuthenticatorParts): Live {
  return { settings, authenticate: authenticator(doors), keyNeeded: () => keyNeeded(doors), directory: directoryOf(kernel) }
}

function doorsOf({ auth }: Settings, kernel: Kernel, local: boolean): AuthenticatorParts {
  const [first] = kernel.all(access).values()
  return { keys: auth.keys, access: first, local }
}

function urlOf(server: Server, host: string): string {
  const { port } = server.address() as { port: number }
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`
}
