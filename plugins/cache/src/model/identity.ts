import type { Call, ModelRequest } from '@switchyard/contract'
import { keyedDigest } from '../keys/keyed-digest.ts'
import { EVERYTHING, publicTag, tagName, tenantTag } from '../keys/tags.ts'
import type { BypassReason, LikenessPlan } from '../kind.ts'
import { canonicalJson } from './canonical.ts'
import { composed } from './composed.ts'
import { eligibilityOf } from './eligibility.ts'
import { isFaithful } from './faithful.ts'
import { type Parted, parted } from './last-turn.ts'
import type { ModelOptions } from './options.ts'
import type { Settings } from './route-of.ts'
import type { Scope } from './scope.ts'

/** What makes two calls one, all of it worked out: the same for every call that `memoKey` tells no difference of. */
export interface Identity {
  readonly key: string
  readonly partition: string
  readonly mode: string
  readonly tags: readonly string[]
  /** Before what the caller says of it. */
  readonly likeness: LikenessPlan | undefined
  /** Digest of what the model was told before the conversation: its tag. */
  readonly prompt: string | undefined
  readonly turns: number
}

export interface IdentityParts {
  readonly call: Pick<Call<'model.invoke'>, 'request' | 'principal' | 'target'>
  readonly settings: Settings
  readonly scope: Scope
  /** Tags that the caller gave. */
  readonly asked: readonly string[]
  readonly headers: string
  readonly options: Pick<ModelOptions, 'epoch' | 'maxBodyBytes'>
  readonly secret: string
  /** What the model's name stands for, as its router says. */
  readonly stands: string | undefined
}

/** Changes whenever what is in keys does. */
const FORMAT = 'switchyard/model/1'
/**
 * Members of a body that change no answer: how it travels, who asks, where it is noted. `model` is in every key as the call says it, and
 * `store` is false or ineligible. `service_tier` is not among them: a reply names the tier that it was served at.
 */
const LEFT_OUT: ReadonlySet<string> = new Set([
  'model',
  'stream',
  'stream_options',
  'store',
  'user',
  'metadata',
  'safety_identifier',
  'prompt_cache_key',
  'prompt_cache_retention',
])
/** Of these, those that a response repeats to whoever asked. */
export const REPEATED = ['metadata', 'user', 'safety_identifier', 'prompt_cache_key'] as const
const NO_TEXTS: readonly string[] = Object.freeze([])

/** Works it out, or says why the call is left alone. Never throws, whatever the body holds. */
export function identityOf(parts: IdentityParts): Identity | { readonly reason: BypassReason } {
  const { call, settings, scope, asked, headers, options, secret, stands } = parts
  const { request, principal, target } = call
  const { endpoint, body, raw, model } = request
  if (raw !== undefined && raw.byteLength > options.maxBodyBytes) return { reason: 'too-large' }
  const eligible = eligibilityOf(request, settings)
  if ('reason' in eligible) return eligible
  const told = parted(endpoint, body)
  const form = formOf(request, told)
  if (form === undefined) return { reason: 'content' }
  if (form.body.length > options.maxBodyBytes) return { reason: 'too-large' }
  const mode = modeOf(request, secret)
  if (mode === undefined) return { reason: 'content' }
  const tenant = scope.kind === 'public' ? undefined : principal.tenant
  const system = told.system.length === 0 ? undefined : canonicalJson(told.system)
  const prompt = system === undefined ? undefined : keyedDigest(secret, ['prompt', system]).slice(0, 22)
  const partition = keyedDigest(secret, [
    FORMAT,
    tenant,
    scope.kind,
    ...scope.parts,
    settings.name,
    settings.version,
    options.epoch,
    endpoint,
    model,
    stands,
    target,
    headers,
    asked.length,
    ...asked,
    form.kind,
    form.body,
  ])
  const texts = form.texts.map((text) => normalised(endpoint, text, form.texts.length))
  // The partition's beginning is the entry's hash tag: in a cluster all of a partition is in one slot.
  const key = `c:{${partition.slice(0, 22)}}:${keyedDigest(secret, ['texts', partition, ...texts])}`
  return {
    key,
    partition,
    mode,
    tags: tagsOf(parts, prompt),
    likeness: eligible.exactOnly ? undefined : likenessOf(parts, told, texts),
    prompt,
    turns: told.turns,
  }
}

interface Form {
  readonly kind: 'canonical' | 'bytes'
  readonly body: string | Uint8Array
  readonly texts: readonly string[]
}

/** The body in one form, or by its bytes where two servers might read them in two ways; undefined where there is neither. */
function formOf({ body, raw }: ModelRequest, told: Parted): Form | undefined {
  if (raw === undefined || isFaithful(raw, body)) {
    const rest = told.texts.every((text) => text.isWellFormed()) ? canonicalJson(told.rest, LEFT_OUT) : undefined
    if (rest !== undefined) return { kind: 'canonical', body: rest, texts: told.texts }
  }
  return raw === undefined ? undefined : { kind: 'bytes', body: raw, texts: NO_TEXTS }
}

/** Unicode's composed form, and the outer white space of a message. A prompt that is gone on with ends where it ends. */
function normalised(endpoint: ModelRequest['endpoint'], text: string, count: number): string {
  const form = composed(text)
  return count === 1 && endpoint !== 'completions' ? form.trim() : form
}

function likenessOf(
  { call, settings, scope }: IdentityParts,
  { turns, earlierTurns }: Parted,
  texts: readonly string[],
): LikenessPlan | undefined {
  const { principal, request } = call
  const text = texts.join('\n').trim()
  if (text === '' || settings.epsilon === 0 || turns > settings.maxTurns) return undefined
  const whose = scope.kind === 'public' ? '*' : encodeURIComponent(principal.tenant.toWellFormed())
  const population = `${whose}/${settings.name === '' ? `model:${request.model}` : `route:${settings.name}`}`
  return { text, population, earlierTurns, shared: scope.shared, epsilon: settings.epsilon }
}

/** Streams and whole replies, and what else a reply on the wire tells of its own request alone; undefined where that has no form. */
function modeOf({ endpoint, body, stream }: ModelRequest, secret: string): string | undefined {
  const told: unknown[] = stream ? [body.stream_options ?? null] : []
  if (endpoint === 'responses') told.push(...REPEATED.map((name) => body[name] ?? null))
  const mode = stream ? 'stream' : 'whole'
  if (told.every((one) => one === null)) return mode
  const form = canonicalJson(told)
  return form === undefined ? undefined : `${mode}:${keyedDigest(secret, ['mode', form]).slice(0, 22)}`
}

function tagsOf({ call, settings, scope, asked }: IdentityParts, prompt: string | undefined): readonly string[] {
  const { principal, request } = call
  const names = [tagName('model', request.model), ...asked.map((tag) => tagName('tag', tag))]
  if (settings.name !== '') names.push(tagName('route', settings.name))
  if (prompt !== undefined) names.push(tagName('prompt', prompt))
  if (scope.kind === 'public') return [EVERYTHING, ...names.map(publicTag)]
  const [part] = scope.parts
  if (part !== undefined) names.push(tagName(scope.kind, part))
  const { tenant } = principal
  return [EVERYTHING, tenantTag(tenant), ...names.map((name) => tenantTag(tenant, name))]
}
