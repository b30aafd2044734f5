import { keysIn, PORTKEY_VARIABLE, PROVIDER_KEYS } from '../config/provider-keys.ts'

export interface BannerFacts {
  readonly url: string
  readonly providers: readonly string[]
  /** Model names and patterns that can be asked for. */
  readonly models: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly keyNeeded: boolean
  readonly startedInMs: number
}

/** What `switchyard start` says when it is ready: everything printed works as it stands. */
export function banner(facts: BannerFacts): string {
  const { url, env } = facts
  const example = facts.models.includes('demo/*') ? 'demo/chat' : 'PROVIDER/MODEL'
  const key = facts.keyNeeded ? 'YOUR_KEY' : 'none-needed'
  const authorization = facts.keyNeeded ? ` -H 'authorization: Bearer ${key}'` : ''
  const on = facts.providers.length > 0 ? facts.providers : facts.models
  const found = new Set(keysIn(env).map(({ provider }) => provider))
  const off = PROVIDER_KEYS.filter(({ provider }) => !found.has(provider)).map(({ variables }) => variables[0])
  if (!env[PORTKEY_VARIABLE]) off.unshift(PORTKEY_VARIABLE)
  return `
Switchyard is ready in ${(facts.startedInMs / 1000).toFixed(1)} s

  API        ${url}/v1
  Health     ${url}/healthz  ${url}/readyz
  Dashboard  ${url}/dashboard  (comes with a later release)
  Docs       ${url}/docs  (comes with a later release; until then README.md and apps/docs)

  curl ${url}/v1/chat/completions -H 'content-type: application/json'${authorization} \\
    -d '{"model":"${example}","messages":[{"role":"user","content":"Hello"}]}'

  import OpenAI from 'openai'
  const client = new OpenAI({ baseURL: '${url}/v1', apiKey: '${key}' })
  const reply = await client.chat.completions.create({ model: '${example}', messages: [{ role: 'user', content: 'Hello' }] })
  console.log(reply.choices[0].message.content)

  Providers on   ${on.join(', ') || 'none'}
  Switch on more by setting ${wrap(off.filter((name) => name !== undefined))}

Stop with Ctrl-C.
`
}

function wrap(names: readonly string[]): string {
  const lines: string[] = []
  for (let index = 0; index < names.length; index += 5) lines.push(names.slice(index, index + 5).join(', '))
  return lines.join(',\n    ')
}
