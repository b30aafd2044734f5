import { spawnSync } from 'node:child_process'
import type { NotRun, Outcome, Ready, Service, ServiceName } from './contract.ts'
import { isListening } from './ports.ts'
import { endLeftovers } from './records.ts'
import { SERVICES } from './table.ts'

export interface AcquireOptions {
  /** Where URLs, `SWITCHYARD_WITHOUT`, `SWITCHYARD_ACCEPT` and `CI` are looked up. Default: the process's. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Leaves a started server running after this process. Default: false. */
  readonly kept?: boolean
}

const nothing = async (): Promise<void> => {}

/**
 * Finds or starts a server, in this order: the environment's URL, the usual port of 127.0.0.1, an installed program, the system's
 * package (root in CI only). Resolves with `not-run`, and why, where none of them gives one. Rejects where the environment names
 * a server that does not answer or is of a version that was not verified: what was asked for is never replaced.
 *
 * `SWITCHYARD_WITHOUT=postgres` makes it `not-run`; `SWITCHYARD_ACCEPT=postgres@16` takes a version that was not verified.
 */
export async function acquireService(name: ServiceName, options: AcquireOptions = {}): Promise<Outcome> {
  const { env = process.env, kept = false } = options
  const service = SERVICES[name]
  if (list(env.SWITCHYARD_WITHOUT).includes(name)) return notRun(service, 'SWITCHYARD_WITHOUT names it')
  const given = env[service.urlVariable]
  if (given !== undefined && given !== '') return fromEnvironment(service, given, env)

  const found = await atUsualPort(service)
  let because = found.because
  if (found.version !== undefined) {
    const refusal = unverified(service, found.version, env)
    if (refusal === undefined) {
      const how = `found on ${new URL(service.usualUrl).host}`
      return { status: 'ready', name, url: service.usualUrl, version: found.version, how, release: nothing }
    }
    because = refusal
  }
  try {
    await endLeftovers()
    let programs = service.findPrograms()
    if (programs === undefined && env.CI === 'true' && process.getuid?.() === 0) {
      install(service.systemPackage)
      programs = service.findPrograms()
    }
    if (programs === undefined) return notRun(service, `${because}, and its programs are not installed`)
    return await started(service, programs, kept, env)
  } catch (error) {
    return notRun(service, `${because}, and starting one failed: ${(error as Error).message}`)
  }
}

/** `not run: postgres, because ..., get it by ...`: the line that a run prints for a server it could not have. */
export function notRunLine({ name, because, get }: NotRun): string {
  return `not run: ${name}, because ${because}; get it by ${get}`
}

async function fromEnvironment(service: Service, url: string, env: NonNullable<AcquireOptions['env']>): Promise<Ready> {
  const { name, urlVariable } = service
  let version: string
  try {
    version = await service.probe(url)
  } catch (error) {
    throw new Error(`${urlVariable} is set, but no ${name} answers there: ${(error as Error).message}`, { cause: error })
  }
  const refusal = unverified(service, version, env)
  if (refusal !== undefined) throw new Error(`${urlVariable}: ${refusal}`)
  return { status: 'ready', name, url, version, how: urlVariable, release: nothing }
}

async function atUsualPort(service: Service): Promise<{ readonly version?: string; readonly because: string }> {
  const { hostname, port, host } = new URL(service.usualUrl)
  if (!(await isListening(hostname, Number(port), 2_000))) return { because: `nothing listens on ${host}` }
  try {
    return { version: await service.probe(service.usualUrl), because: '' }
  } catch (error) {
    return { because: `what listens on ${host} lets nobody in as ${service.name}: ${(error as Error).message}` }
  }
}

async function started(
  service: Service,
  programs: string,
  kept: boolean,
  env: NonNullable<AcquireOptions['env']>,
): Promise<Outcome> {
  const server = await service.start(programs, { kept })
  const refusal = unverified(service, server.version, env)
  if (refusal !== undefined) {
    await server.stop()
    return notRun(service, refusal)
  }
  const { url, version } = server
  return { status: 'ready', name: service.name, url, version, how: `started from ${programs}`, release: () => server.stop() }
}

function unverified(service: Service, version: string, env: NonNullable<AcquireOptions['env']>): string | undefined {
  const is = (wanted: string): boolean => version === wanted || version.startsWith(`${wanted}.`)
  const accepted = list(env.SWITCHYARD_ACCEPT)
    .filter((entry) => entry.startsWith(`${service.name}@`))
    .map((entry) => entry.slice(service.name.length + 1))
  if ([...service.verified, ...accepted].some(is)) return undefined
  const mend = `SWITCHYARD_ACCEPT=${service.name}@${version.split('.')[0]} takes it`
  return `${service.name} is ${version}, but ${service.verified.join(', ')} was verified; ${mend}`
}

function notRun(service: Service, because: string): NotRun {
  const get = `installing the package ${service.systemPackage}, or by setting ${service.urlVariable}`
  return { status: 'not-run', name: service.name, because, get }
}

function install(systemPackage: string): void {
  for (const words of [['update'], ['install', '-y', '--no-install-recommends', systemPackage]]) {
    const { status, stderr } = spawnSync('apt-get', words, {
      encoding: 'utf8',
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    })
    if (status !== 0) throw new Error(`apt-get ${words[0]} failed: ${stderr?.trim().split('\n').at(-1)}`)
  }
}

function list(value: string | undefined): readonly string[] {
  return (value ?? '').split(',').map((entry) => entry.trim())
}
