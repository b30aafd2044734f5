import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort, type Program, startProgram } from '../peers/program.ts'
import { PLAIN_REPLY, STREAM_REPLY } from './payloads.ts'

export interface Stub extends Program {
  /** `http://127.0.0.1:PORT`; `/v1` answers plain, `/stream/v1` streams. */
  readonly origin: string
  readonly kind: 'nginx' | 'node'
}

/** The upstream of all peers: nginx where it is installed, else a node:http server, which may then be the bottleneck. */
export async function startStub(): Promise<Stub> {
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  if (spawnSync('nginx', ['-v']).error !== undefined) {
    const program = await startProgram(
      process.execPath,
      [fileURLToPath(new URL('./node-stub.ts', import.meta.url)), String(port)],
      origin,
      { env: { ...process.env, NODE_OPTIONS: '--conditions=@switchyard/source' } },
    )
    return { ...program, origin, kind: 'node' }
  }
  const folder = await mkdtemp(join(tmpdir(), 'switchyard-stub-'))
  await mkdir(join(folder, 'tmp'))
  await writeFile(join(folder, 'nginx.conf'), nginxConfig(port, folder))
  const program = await startProgram(
    'nginx',
    ['-c', join(folder, 'nginx.conf'), '-p', folder, '-e', 'stderr', '-g', 'daemon off;'],
    origin,
  )
  return {
    ...program,
    origin,
    kind: 'nginx',
    async stop() {
      await program.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function nginxConfig(port: number, folder: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${join(folder, 'tmp')};`,
  )
  const quoted = (text: string): string => `'${text.replaceAll("'", "\\'").replaceAll('$', '')}'`
  return `worker_processes 1;
pid ${join(folder, 'pid')};
events { worker_connections 4096; }
http {
  access_log off;
  ${temporary.join('\n  ')}
  keepalive_requests 1000000000;
  keepalive_timeout 3600;
  client_body_buffer_size 64k;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location /v1/ { default_type application/json; return 200 ${quoted(PLAIN_REPLY)}; }
    location /stream/v1/ { default_type text/event-stream; return 200 ${quoted(STREAM_REPLY)}; }
    location / { return 200 ok; }
  }
}
`
}
