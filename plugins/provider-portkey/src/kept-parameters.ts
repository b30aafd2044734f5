// house: data table
import type { ModelEndpoint } from '@switchyard/contract'
import { words } from './adapters.ts'

interface Kept {
  /** What no request can do without, and every adapter hands on. */
  readonly always: string
  readonly bySlug: Readonly<Record<string, string>>
}

const COMPLETIONS = `best_of echo frequency_penalty logit_bias logprobs max_tokens n presence_penalty seed stop stream suffix
  temperature top_p user`
const COMPLETIONS_OLDER = `best_of echo frequency_penalty logit_bias logprobs max_tokens n presence_penalty stop stream temperature
  top_p user`
const COMPLETIONS_AZURE = 'frequency_penalty max_tokens presence_penalty stop stream temperature top_p user'
const COMPLETIONS_CLAUDE = 'max_tokens stop stream temperature top_p user'
const COMPLETIONS_TOGETHER = 'frequency_penalty logprobs max_tokens stop stream temperature top_p'
const IMAGES = 'n quality response_format size style user'
const SPEECH = 'response_format speed'
const MESSAGES = `container mcp_servers metadata service_tier stop_sequences stream system temperature thinking tool_choice tools
  top_k top_p`
const RESPONSES = `background conversation include instructions max_output_tokens max_tool_calls metadata parallel_tool_calls
  previous_response_id prompt prompt_cache_key reasoning safety_identifier service_tier store stream stream_options temperature text
  tool_choice tools top_logprobs top_p truncation user`

/** What the adapters of `@portkey-ai/gateway` 1.15.2 hand on, in one form or another. Chat has a list of its own; forms go on whole. */
const KEPT: Readonly<Partial<Record<ModelEndpoint, Kept>>> = {
  completions: {
    always: 'model prompt',
    bySlug: {
      ai21: 'frequency_penalty max_tokens n presence_penalty stop temperature top_p',
      anthropic: COMPLETIONS_CLAUDE,
      anyscale: COMPLETIONS_OLDER,
      'azure-ai': COMPLETIONS_AZURE,
      'azure-openai': COMPLETIONS_OLDER,
      bedrock: COMPLETIONS_CLAUDE,
      cohere: 'frequency_penalty logit_bias max_tokens n presence_penalty stop stream temperature top_p',
      'featherless-ai': COMPLETIONS,
      'fireworks-ai': 'echo frequency_penalty logprobs max_tokens n presence_penalty stop stream temperature top_p user',
      github: COMPLETIONS_AZURE,
      huggingface: COMPLETIONS_OLDER,
      lambda: COMPLETIONS,
      lepton: `echo frequency_penalty logit_bias logprobs max_tokens n presence_penalty seed stop stream stream_options suffix
        temperature top_p user`,
      modal: COMPLETIONS,
      nebius: COMPLETIONS,
      nextbit: COMPLETIONS,
      'novita-ai': COMPLETIONS_TOGETHER,
      openai: `${COMPLETIONS} stream_options`,
      palm: 'max_tokens n stop temperature top_p',
      'together-ai': COMPLETIONS_TOGETHER,
      triton: 'max_tokens stop top_p',
      'workers-ai': 'max_tokens stream',
      'x-ai': COMPLETIONS,
    },
  },
  'images/generations': {
    always: 'model prompt',
    bySlug: {
      'azure-ai': IMAGES,
      'azure-openai': IMAGES,
      bedrock: 'output_format',
      deepbricks: IMAGES,
      'fireworks-ai': 'n size',
      hyperbolic: '',
      'lemonfox-ai': 'n response_format size',
      nscale: 'n size',
      openai: IMAGES,
      'recraft-ai': 'n response_format size style',
      segmind: 'n size style',
      siliconflow: 'size',
      'stability-ai': '',
      'vertex-ai': 'n quality style',
      'workers-ai': 'size',
    },
  },
  'audio/speech': {
    always: 'model input voice',
    bySlug: { openai: SPEECH, 'azure-openai': SPEECH, 'azure-ai': SPEECH, groq: SPEECH },
  },
  messages: {
    always: 'model messages max_tokens',
    bySlug: {
      anthropic: MESSAGES,
      bedrock: 'metadata stop_sequences stream system temperature thinking tool_choice tools top_k top_p',
      'vertex-ai': MESSAGES,
      'azure-ai': MESSAGES,
    },
  },
  responses: { always: 'model input', bySlug: { openai: RESPONSES, 'azure-openai': RESPONSES } },
}

const SETS: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  Object.entries(KEPT).flatMap(([endpoint, { always, bySlug }]) =>
    Object.entries(bySlug).map(([slug, kept]) => [`${endpoint} ${slug}`, words(`${always} ${kept}`)] as const),
  ),
)

/** What cannot change the answer: told to providers that want to know. */
const HINTS = words(`cache_control metadata prompt_cache_key prompt_cache_options prompt_cache_retention safety_identifier
  stream_options user`)

/** What the adapter of an endpoint hands on for a provider; undefined where it is not known, or everything. */
export function keptParameters(slug: string, endpoint: ModelEndpoint): ReadonlySet<string> | undefined {
  return SETS.get(`${endpoint} ${slug}`)
}

/**
 * The top-level parameter of a request that Portkey would drop without a word for this provider, if there is one. Hints may be dropped,
 * and so may what says nothing: null, false, 0, empty, or one answer.
 */
export function droppedBy(slug: string, endpoint: ModelEndpoint, body: Readonly<Record<string, unknown>>): string | undefined {
  const kept = keptParameters(slug, endpoint)
  if (kept === undefined) return undefined
  for (const name in body) if (!kept.has(name) && !HINTS.has(name) && saysSomething(name, body[name])) return name
  return undefined
}

function saysSomething(name: string, value: unknown): boolean {
  if (!value) return false
  if (typeof value === 'object') return Object.keys(value).length > 0
  return value !== 1 || (name !== 'n' && name !== 'best_of')
}
