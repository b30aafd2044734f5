// house: data table

/**
 * Slugs of the providers that Portkey's gateway 1.15.2 connects to by itself. Every provider of the catalog bears the slug of this
 * list where it has one.
 */
export const NATIVE: ReadonlySet<string> = new Set(
  [
    'anthropic anyscale azure-openai cohere google vertex-ai mistral-ai openai palm perplexity-ai reka-ai together-ai deepinfra',
    'ncompass stability-ai nomic ollama ai21 bedrock groq segmind jina fireworks-ai workers-ai moonshot openrouter lingyi zhipu',
    'novita-ai monsterapi deepseek predibase triton voyage azure-ai github deepbricks siliconflow huggingface cerebras inference-net',
    'sambanova lemonfox-ai upstage lambda dashscope x-ai cortex sagemaker nebius recraft-ai milvus replicate lepton kluster-ai nscale',
    'hyperbolic bytez featherless-ai krutrim qdrant 302ai cometapi matterai meshy tripo3d nextbit modal z-ai oracle iointelligence',
    'aibadgr ovhcloud',
  ]
    .join(' ')
    .split(' '),
)

/** Names that sources use for a provider of the catalog, where they differ from its slug. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  'amazon-bedrock': 'bedrock',
  'bedrock-converse': 'bedrock',
  'bedrock-mantle': 'bedrock',
  aws: 'bedrock',
  'google-vertex': 'vertex-ai',
  'google-vertex-anthropic': 'vertex-ai',
  gemini: 'google',
  azure: 'azure-openai',
  'azure-text': 'azure-openai',
  'azure-cognitive-services': 'azure-ai',
  mistral: 'mistral-ai',
  codestral: 'mistral-ai',
  'text-completion-codestral': 'mistral-ai',
  'text-completion-openai': 'openai',
  'open-ai': 'openai',
  togetherai: 'together-ai',
  together: 'together-ai',
  fireworks: 'fireworks-ai',
  xai: 'x-ai',
  perplexity: 'perplexity-ai',
  moonshotai: 'moonshot',
  zhipuai: 'zhipu',
  zai: 'z-ai',
  'cloudflare-workers-ai': 'workers-ai',
  cloudflare: 'workers-ai',
  'github-models': 'github',
  alibaba: 'dashscope',
  novita: 'novita-ai',
  voyageai: 'voyage',
  'jina-ai': 'jina',
  'lambda-ai': 'lambda',
  stability: 'stability-ai',
  recraft: 'recraft-ai',
  'nomic-ai': 'nomic',
  'cohere-chat': 'cohere',
  inference: 'inference-net',
  'io-net': 'iointelligence',
  oci: 'oracle',
  nanogpt: 'nano-gpt',
  'vercel-ai-gateway': 'vercel',
}

/** Sources split these by region, host or product; the rest of the name says nothing that a price depends on. */
const PREFIXES: readonly (readonly [prefix: string, slug: string])[] = [
  ['vertex-ai-', 'vertex-ai'],
  ['fireworks-ai-', 'fireworks-ai'],
  ['huggingface-', 'huggingface'],
]

/** The catalog's slug for a provider as any source spells it. */
export function canonicalProvider(name: string): string {
  const folded = name.toLowerCase().replaceAll('_', '-')
  if (NATIVE.has(folded)) return folded
  const other = Object.hasOwn(OTHER_NAMES, folded) ? OTHER_NAMES[folded] : undefined
  return other ?? PREFIXES.find(([prefix]) => folded.startsWith(prefix))?.[1] ?? folded
}

/** Subscriptions, logins and programs on one's own machine: they have no price by the token, or another's. */
const PSEUDO: ReadonlySet<string> = new Set(
  [
    'cursor devin openai-codex xai-oauth google-antigravity google-gemini-cli gitlab-duo gitlab-duo-agent github-copilot minimax-code',
    'minimax-code-cn muse-code opencode-go firepass cline-pass web local lmstudio yolo-auto typesafe qwen-portal commandcode',
  ]
    .join(' ')
    .split(' '),
)
const PLAN = /^(kimi-code|umans)|-(token|coding|step|code)-plan/

/** True for a provider that is no provider: a subscription plan, an OAuth login, a local program. Every source is rid of them. */
export function isPseudoProvider(name: string): boolean {
  const folded = name.toLowerCase().replaceAll('_', '-')
  return PSEUDO.has(folded) || PLAN.test(folded)
}
