import { fileURLToPath } from 'node:url'
import { processTree } from '../measure/processes.ts'
import { freePort, type Program, startProgram } from '../peers/program.ts'
import { startPortkeyAlone, startSwitchyard } from '../peers/switchyard.ts'

export type Mode = 'plain' | 'stream'
export const MODES: readonly Mode[] = ['plain', 'stream']

export interface Peer {
  readonly name:
    | 'direct'
    | 'floor'
    | 'switchyard-openai'
    | 'switchyard-hit'
    | 'switchyard-miss'
    | 'switchyard-portkey'
    | 'portkey'
  /** What the cache does with its requests; undefined = passes them by. */
  readonly cache?: 'hit' | 'miss'
  /** Where a request of the mode goes, and with which model and headers. */
  request(mode: Mode): { readonly url: string; readonly model: string; readonly headers: Readonly<Record<string, string>> }
  /** The peer's processes, for CPU time and memory. */
  pids(): readonly number[]
  stop(): Promise<void>
}

function prefix(mode: Mode): string {
  return mode === 'stream' ? '/stream' : ''
}

/** All peers over one stub, started one after the other. */
export async function startPeers(stub: { readonly origin: string; readonly pid: number }): Promise<readonly Peer[]> {
  const peers: Peer[] = [
    {
      name: 'direct',
      request: (mode) => ({ url: `${stub.origin}${prefix(mode)}/v1/chat/completions`, model: 'bench', headers: {} }),
      pids: () => processTree(stub.pid),
      stop: async () => {},
    },
  ]
  try {
    // A process of its own: what it stores would weigh on the calls that are passed by.
    const cached = await switchyardOpenai(stub.origin)
    peers.push(
      await floor(stub.origin),
      await switchyardOpenai(stub.origin),
      { ...cached, name: 'switchyard-hit', cache: 'hit' },
      { ...cached, name: 'switchyard-miss', cache: 'miss', stop: async () => {} },
      await switchyardPortkey(stub.origin),
      await portkeyAlone(stub.origin),
    )
    return peers
  } catch (error) {
    await Promise.all(peers.map((peer) => peer.stop()))
    throw error
  }
}

async function floor(upstream: string): Promise<Peer> {
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const program = await startProgram(
    process.execPath,
    [fileURLToPath(new URL('./floor.ts', import.meta.url)), String(port), upstream],
    `${origin}/`,
  )
  return peer('floor', program, (mode) => ({
    url: `${origin}${prefix(mode)}/v1/chat/completions`,
    model: 'bench',
    headers: {},
  }))
}

const allow = ['127.0.0.0/8']

/** The gateway's default assembly, the cache among its plugins; Portkey runs beside it. */
const DEFAULTS = { portkey: false, demo: false }

function switchyardOpenai(upstream: string): Promise<Peer> {
  const provider = (mode: Mode) => ({
    use: '@switchyard/provider-openai',
    as: mode,
    options: { provider: mode, baseUrl: `${upstream}${prefix(mode)}/v1`, apiKey: 'bench', egress: { allow } },
  })
  return switchyard('switchyard-openai', { embedded: DEFAULTS, plugins: MODES.map(provider) })
}

async function switchyardPortkey(upstream: string): Promise<Peer> {
  const child = await startPortkeyAlone()
  const providers = Object.fromEntries(
    MODES.map((mode) => [mode, { slug: 'openai', apiKey: 'bench', customHost: `${upstream}${prefix(mode)}/v1` }]),
  )
  const plugins = [
    { use: '@switchyard/provider-portkey', options: { baseUrl: `${child.origin}/v1`, providers, egress: { allow } } },
  ]
  const own = await switchyard('switchyard-portkey', { embedded: DEFAULTS, plugins })
  return {
    ...own,
    pids: () => [...own.pids(), ...processTree(child.pid)],
    stop: async () => {
      await own.stop()
      await child.stop()
    },
  }
}

async function portkeyAlone(upstream: string): Promise<Peer> {
  const program = await startPortkeyAlone()
  return peer('portkey', program, (mode) => ({
    url: `${program.origin}/v1/chat/completions`,
    model: 'bench',
    headers: {
      authorization: 'Bearer bench',
      'x-portkey-provider': 'openai',
      'x-portkey-custom-host': `${upstream}${prefix(mode)}/v1`,
    },
  }))
}

async function switchyard(name: Peer['name'], config: object): Promise<Peer> {
  const program = await startSwitchyard(config)
  return peer(name, program, (mode) => ({ url: `${program.origin}/v1/chat/completions`, model: `${mode}/bench`, headers: {} }))
}

function peer(name: Peer['name'], program: Program, request: Peer['request']): Peer {
  return { name, request, pids: () => processTree(program.pid), stop: program.stop }
}
