import type { ModelEndpoint } from '@switchyard/contract'
import type { UsageRoute } from '@switchyard/model-wire'

const words = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/).filter(Boolean))

/** Slugs that `@portkey-ai/gateway` 1.15.2 has an adapter for. */
export const SLUGS: ReadonlySet<string> =
  words(`302ai ai21 aibadgr anthropic anyscale azure-ai azure-openai bedrock bytez cerebras cohere
  cometapi dashscope deepbricks deepinfra deepseek featherless-ai fireworks-ai github google groq huggingface hyperbolic inference-net
  iointelligence jina kluster-ai krutrim lambda lemonfox-ai lepton lingyi matterai meshy milvus mistral-ai modal monsterapi moonshot
  ncompass nebius nextbit nomic novita-ai nscale ollama openai openrouter oracle ovhcloud palm perplexity-ai predibase qdrant
  recraft-ai reka-ai replicate sagemaker sambanova segmind siliconflow stability-ai together-ai tripo3d triton upstage vertex-ai voyage
  workers-ai x-ai z-ai zhipu`)

const WITHOUT_CHAT = words(
  'jina nomic voyage triton sagemaker segmind stability-ai recraft-ai replicate milvus qdrant meshy tripo3d',
)

const WITH_EMBEDDINGS = words(`openai azure-openai azure-ai cohere google vertex-ai bedrock mistral-ai voyage jina nomic ollama
  together-ai fireworks-ai workers-ai ai21 anyscale palm zhipu github siliconflow upstage dashscope x-ai nebius kluster-ai cometapi
  iointelligence`)

const DROPS_TOOLS =
  words(`ai21 bytez deepinfra deepseek lemonfox-ai lingyi moonshot monsterapi ncompass nscale oracle palm perplexity-ai
  predibase reka-ai sambanova siliconflow workers-ai zhipu 302ai`)

const DROPS_FORMAT = words('anthropic bedrock mistral-ai deepinfra moonshot sambanova zhipu workers-ai')

const ROUTES: Readonly<Record<string, UsageRoute>> = {
  anthropic: 'anthropic',
  bedrock: 'bedrock',
  google: 'gemini',
  'vertex-ai': 'gemini',
  cohere: 'cohere',
}

/** Providers whose streams end by a finish reason alone. */
const WITHOUT_DONE = words('google vertex-ai')

/** The endpoints that any provider behind Portkey is reached by here. */
export const ENDPOINTS: readonly ModelEndpoint[] = ['chat/completions', 'embeddings']

/** Whether Portkey has an adapter; a slug that it does not know, or a hosted `@slug`, is Portkey's to judge. */
export function serves(slug: string, endpoint: ModelEndpoint): boolean {
  if (!ENDPOINTS.includes(endpoint)) return false
  if (!SLUGS.has(slug)) return true
  return endpoint === 'embeddings' ? WITH_EMBEDDINGS.has(slug) : !WITHOUT_CHAT.has(slug)
}

/** The parameter of a request that Portkey would drop without a word for this provider, if there is one. */
export function dropped(slug: string, body: Readonly<Record<string, unknown>>): string | undefined {
  if (body.tools !== undefined && DROPS_TOOLS.has(slug)) return 'tools'
  if (body.response_format !== undefined && DROPS_FORMAT.has(slug)) return 'response_format'
  return undefined
}

/** By which rule the provider's usage becomes totals. */
export function usageRoute(slug: string, model: string): UsageRoute {
  if (slug === 'vertex-ai' && model.includes('claude')) return 'vertex-claude'
  return ROUTES[slug] ?? 'openai'
}

/** What proves that a provider's stream is whole. */
export function terminatorOf(slug: string): 'done' | 'finish-reason' {
  return WITHOUT_DONE.has(slug) ? 'finish-reason' : 'done'
}
