export interface ProviderKey {
  /** Prefix of its models, and Portkey's slug. */
  readonly provider: string
  /** Environment variables, the first that is set counts. */
  readonly variables: readonly string[]
}

/** Providers that one key in the environment switches on, by the variable names that their own SDKs read. */
export const PROVIDER_KEYS: readonly ProviderKey[] = [
  { provider: 'openai', variables: ['OPENAI_API_KEY'] },
  { provider: 'anthropic', variables: ['ANTHROPIC_API_KEY'] },
  { provider: 'google', variables: ['GEMINI_API_KEY', 'GOOGLE_API_KEY'] },
  { provider: 'mistral-ai', variables: ['MISTRAL_API_KEY'] },
  { provider: 'groq', variables: ['GROQ_API_KEY'] },
  { provider: 'deepseek', variables: ['DEEPSEEK_API_KEY'] },
  { provider: 'together-ai', variables: ['TOGETHER_API_KEY'] },
  { provider: 'fireworks-ai', variables: ['FIREWORKS_API_KEY'] },
  { provider: 'cohere', variables: ['COHERE_API_KEY', 'CO_API_KEY'] },
  { provider: 'x-ai', variables: ['XAI_API_KEY'] },
  { provider: 'openrouter', variables: ['OPENROUTER_API_KEY'] },
  { provider: 'perplexity-ai', variables: ['PERPLEXITY_API_KEY'] },
  { provider: 'cerebras', variables: ['CEREBRAS_API_KEY'] },
  { provider: 'deepinfra', variables: ['DEEPINFRA_API_KEY'] },
  { provider: 'nebius', variables: ['NEBIUS_API_KEY'] },
  { provider: 'voyage', variables: ['VOYAGE_API_KEY'] },
  { provider: 'jina', variables: ['JINA_API_KEY'] },
]

/** Hosted Portkey: its key reaches every provider whose credentials are stored there. */
export const PORTKEY_VARIABLE = 'PORTKEY_API_KEY'

export interface FoundKey extends ProviderKey {
  readonly variable: string
  readonly value: string
}

/** The providers whose key is set. */
export function keysIn(env: NodeJS.ProcessEnv): readonly FoundKey[] {
  return PROVIDER_KEYS.flatMap((entry) => {
    const variable = entry.variables.find((name) => env[name])
    const value = variable === undefined ? undefined : env[variable]
    return variable === undefined || value === undefined ? [] : [{ ...entry, variable, value }]
  })
}
