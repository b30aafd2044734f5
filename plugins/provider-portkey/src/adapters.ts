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
  if (!SLUGS.has(slug)) return true
  return endpoint === 'embeddings' ? WITH_EMBEDDINGS.has(slug) : !WITHOUT_CHAT.has(slug)
}

/** The parameter of a request that Portkey would drop without a word for this provider, if there is one. */
export function dropped(slug: string, body: Readonly<Record<string, unknown>>): string | undefined {
  if (DROPS_TOOLS.has(slug) && asksForTools(body.tools)) return 'tools'
  if (DROPS_FORMAT.has(slug) && asksForFormat(body.response_format)) return 'response_format'
  return undefined
}

/** Nothing is lost with a list that is empty, which some clients always send. */
function asksForTools(tools: unknown): boolean {
  return tools !== undefined && tools !== null && !(Array.isArray(tools) && tools.length === 0)
}

/** Nothing is lost with the format that is the default anyway. */
function asksForFormat(format: unknown): boolean {
  return format !== undefined && format !== null && (format as { readonly type?: unknown }).type !== 'text'
}

/** By which rule usage becomes totals, for a call that one of these providers serves. */
export function usageRoute(slugs: readonly string[], model: string): UsageRoute {
  const [slug = ''] = slugs
  if (slugs.length > 1) return 'openai'
  if (slug === 'vertex-ai' && model.includes('claude')) return 'vertex-claude'
  return ROUTES[slug] ?? 'openai'
}

/** What proves that a stream is whole. A hosted credential's name says nothing of its provider, which may never send `[DONE]`. */
export function terminatorOf(slugs: readonly string[]): 'done' | 'finish-reason' {
  return slugs.length > 0 && slugs.every((slug) => SLUGS.has(slug) && !WITHOUT_DONE.has(slug)) ? 'done' : 'finish-reason'
}
