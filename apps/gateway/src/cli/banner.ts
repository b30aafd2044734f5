import { keysIn, PORTKEY_VARIABLE, PROVIDER_KEYS } from '../config/provider-keys.ts'
import { ANY_MODEL } from '../model-directory.ts'

export interface BannerFacts {
  readonly url: string
  /** What the embedded default reaches; undefined where it is off, and keys in the environment switch nothing on. */
  readonly providers: readonly string[] | undefined
  /** Model names and patterns that can be asked for. */
  readonly models: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly keyNeeded: boolean
  readonly startedInMs: number
}

/** What `switchyard start` says when it is ready: everything printed works as it stands. */
export function banner(facts: BannerFacts): string {
  const { url, env } = facts
  const example = facts.models.includes('demo/*') ? 'demo/chat' : (facts.models.find(isOneModel) ?? 'PROVIDER/MODEL')
  const key = facts.keyNeeded ? 'YOUR_KEY' : 'none-needed'
  const authorization = facts.keyNeeded ? ` -H 'authorization: Bearer ${key}'` : ''
  const on = facts.providers?.length ? facts.providers : facts.models
  const off = facts.providers === undefined ? [] : variablesNotSet(env)
  return `
Switchyard is ready in ${(facts.startedInMs / 1000).toFixed(1)} s

  API        ${url}/v1
  Health     ${url}/healthz  ${url}/readyz
  Dashboard  ${url}/dashboard  (comes with a later release)
  Docs       ${url}/docs  (comes with a later release; until then README.md and apps/docs)
  Access     ${facts.keyNeeded ? 'with a key' : 'this machine only, without a key; make one with "switchyard keys create --admin"'}

  curl ${url}/v1/chat/completions -H 'content-type: application/json'${authorization} \\
    -d '{"model":"${example}","messages":[{"role":"user","content":"Hello"}]}'

  import OpenAI from 'openai'
  const client = new OpenAI({ baseURL: '${url}/v1', apiKey: '${key}' })
  const reply = await client.chat.completions.create({ model: '${example}', messages: [{ role: 'user', content: 'Hello' }] })
  console.log(reply.choices[0].message.content)

  Providers on   ${on.join(', ') || 'none'}
${off.length > 0 ? `  Switch on more by setting ${wrap(off)}\n` : ''}
Stop with Ctrl-C.
`
}

function isOneModel(name: string): boolean {
  return name !== ANY_MODEL && !name.endsWith('/*')
}

function variablesNotSet(env: NodeJS.ProcessEnv): readonly string[] {
  const found = new Set(keysIn(env).map(({ provider }) => provider))
  const off = PROVIDER_KEYS.filter(({ provider }) => !found.has(provider)).flatMap(({ variables }) => variables.slice(0, 1))
  return env[PORTKEY_VARIABLE] ? off : [PORTKEY_VARIABLE, ...off]
}

function wrap(names: readonly string[]): string {
  const lines: string[] = []
  for (let index = 0; index < names.length; index += 5) lines.push(names.slice(index, index + 5).join(', '))
  return lines.join(',\n    ')
}
