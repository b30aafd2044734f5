// house: data table
import type { ModelEndpoint } from '@switchyard/contract'
import type { UsageRoute } from '@switchyard/model-wire'

/** A list of names as a set. */
export function words(text: string): ReadonlySet<string> {
  return new Set(text.split(/\s+/).filter(Boolean))
}

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

/** Endpoints that Portkey adapts for a few providers only. */
const ADAPTED: Readonly<Partial<Record<ModelEndpoint, ReadonlySet<string>>>> = {
  embeddings: WITH_EMBEDDINGS,
  completions:
    words(`ai21 anthropic anyscale azure-ai azure-openai bedrock cohere featherless-ai fireworks-ai github huggingface
    lambda lepton modal nebius nextbit novita-ai openai palm together-ai triton workers-ai x-ai`),
  // That of iointelligence sends a response's request to its chat.
  responses: words('openai azure-openai'),
  messages: words('anthropic bedrock vertex-ai azure-ai'),
  'images/generations': words(`azure-ai azure-openai bedrock deepbricks fireworks-ai hyperbolic lemonfox-ai nscale openai
    recraft-ai segmind siliconflow stability-ai vertex-ai workers-ai`),
  'audio/speech': words('openai azure-openai azure-ai groq'),
  // That of lemonfox-ai loses the file.
  'audio/transcriptions': words('openai azure-openai azure-ai groq lepton'),
}

/** Providers that serve `messages` for Anthropic's models, and others by chat. */
const CLAUDE_AMONG_OTHERS = words('vertex-ai azure-ai')

/**
 * What Portkey hands on as it comes, by the provider that has it, and the path below Portkey's `/v1` that becomes the provider's own.
 * Whoever else is sent there answers 404, or does not have the endpoint in this dialect.
 */
const HANDED_ON: Readonly<Partial<Record<ModelEndpoint, Readonly<Record<string, string>>>>> = {
  moderations: { openai: 'moderations', 'mistral-ai': 'moderations' },
  rerank: {
    cohere: 'v2/rerank',
    'fireworks-ai': 'rerank',
    jina: 'rerank',
    siliconflow: 'rerank',
    'together-ai': 'v1/rerank',
    voyage: 'rerank',
  },
}

const DROPS_TOOLS =
  words(`ai21 bytez deepinfra deepseek lemonfox-ai lingyi moonshot monsterapi ncompass nscale oracle palm perplexity-ai
  predibase reka-ai sambanova siliconflow workers-ai zhipu 302ai`)

const DROPS_FORMAT = words('anthropic bedrock mistral-ai deepinfra moonshot sambanova zhipu workers-ai')

const DROPS_STOP = words('bytez lingyi mistral-ai monsterapi moonshot openrouter oracle perplexity-ai workers-ai zhipu')

const DROPS_STREAM = words('ai21 monsterapi oracle palm reka-ai')

/** Providers for which only the older name of a chat's output limit is handed on. */
const OLDER_LIMIT = words('302ai bytez cohere lepton monsterapi oracle zhipu')

const ROUTES: Readonly<Record<string, UsageRoute>> = {
  anthropic: 'anthropic',
  bedrock: 'bedrock',
  google: 'gemini',
  'vertex-ai': 'gemini',
  'x-ai': 'xai',
  cohere: 'cohere',
}

/** Providers whose streams end by a finish reason alone. */
const WITHOUT_DONE = words('google vertex-ai')

/** A provider as far as it decides which endpoints can be asked of it. */
export interface Provider {
  /** Empty where a config or a stored credential decides. */
  readonly slug: string
  /** The model is one of Anthropic's: some serve `messages` for these only. */
  readonly claude: boolean
  /** Its host was chosen by the operator, so that what is handed on as it comes is for that host to have. */
  readonly ownHost: boolean
  /** What the operator says that it speaks, in place of the tables. */
  readonly endpoints?: readonly ModelEndpoint[] | undefined
}

/**
 * The path below Portkey's `/v1` by which a provider is asked for an endpoint in the endpoint's own dialect; undefined where it cannot be.
 * Of a slug that is not known here, or a hosted `@slug`, it is said that Portkey adapts all but `messages` and `responses`, which few have
 * and chat stands in for.
 */
export function pathOf({ slug, claude, ownHost, endpoints }: Provider, endpoint: ModelEndpoint): string | undefined {
  if (endpoints !== undefined && !endpoints.includes(endpoint)) return undefined
  const handedOn = HANDED_ON[endpoint]
  if (handedOn !== undefined) {
    if (ownHost || endpoints !== undefined || !SLUGS.has(slug)) return endpoint
    return handedOn[slug]
  }
  if (endpoint === 'messages' && !claude && CLAUDE_AMONG_OTHERS.has(slug)) return undefined
  return endpoints !== undefined || adapts(slug, endpoint) ? endpoint : undefined
}

function adapts(slug: string, endpoint: ModelEndpoint): boolean {
  if (!SLUGS.has(slug)) return endpoint !== 'messages' && endpoint !== 'responses'
  return ADAPTED[endpoint]?.has(slug) ?? !WITHOUT_CHAT.has(slug)
}

/** The parameter of a chat that Portkey would drop without a word for this provider, if there is one. */
export function droppedFromChat(slug: string, body: Readonly<Record<string, unknown>>): string | undefined {
  if (DROPS_TOOLS.has(slug) && asksForSome(body.tools)) return 'tools'
  if (DROPS_FORMAT.has(slug) && asksForFormat(body.response_format)) return 'response_format'
  if (DROPS_STOP.has(slug) && asksForSome(body.stop)) return 'stop'
  if (DROPS_STREAM.has(slug) && body.stream === true) return 'stream'
  return undefined
}

/** The name of a chat's output limit that Portkey hands on for all of these providers. */
export function limitField(slugs: readonly string[]): 'max_completion_tokens' | 'max_tokens' {
  return slugs.some((slug) => OLDER_LIMIT.has(slug)) ? 'max_tokens' : 'max_completion_tokens'
}

/** Nothing is lost with a list that is empty, which some clients always send. */
function asksForSome(list: unknown): boolean {
  return list !== undefined && list !== null && !(Array.isArray(list) && list.length === 0)
}

/** Nothing is lost with the format that is the default anyway. */
function asksForFormat(format: unknown): boolean {
  return format !== undefined && format !== null && (format as { readonly type?: unknown }).type !== 'text'
}

/** Whether a model is one of Anthropic's, by its name, wherever it is hosted. */
export function isClaude(model: string): boolean {
  return model.includes('claude')
}

/** By which rule usage becomes totals, for a call that one of these providers serves. */
export function usageRoute(slugs: readonly string[], model: string): UsageRoute {
  const [slug = ''] = slugs
  if (slugs.length > 1) return 'openai'
  if (slug === 'vertex-ai' && isClaude(model)) return 'vertex-claude'
  return ROUTES[slug] ?? 'openai'
}

/** What proves that a stream is whole. A hosted credential's name says nothing of its provider, which may never send `[DONE]`. */
export function terminatorOf(slugs: readonly string[]): 'done' | 'finish-reason' {
  return slugs.length > 0 && slugs.every((slug) => SLUGS.has(slug) && !WITHOUT_DONE.has(slug)) ? 'done' : 'finish-reason'
}
