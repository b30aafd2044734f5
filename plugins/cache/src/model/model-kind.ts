import { type Call, type Clock, type ModelReply, SwitchyardError } from '@switchyard/contract'
import type { Kind, Marks } from '../kind.ts'
import { assembled } from './assembled.ts'
import { framesOf } from './frames.ts'
import { REPEATED } from './identity.ts'
import { keep } from './keep.ts'
import type { ModelOptions } from './options.ts'
import { planner } from './planner.ts'
import { type Form, openReady, type Ready } from './ready.ts'
import { ReplayedStream } from './replayed.ts'
import { filled, type Values } from './template.ts'

export interface ModelKindParts {
  readonly options: ModelOptions
  /** Keys are made with it, alike on all nodes: whoever knows it and a request can tell the request's key. */
  readonly secret: string
  readonly clock: Pick<Clock, 'now' | 'schedule'>
  /** Another one where a name that callers ask for stands for something else. Default: none has one. */
  readonly versionOf?: ((model: string) => string | undefined) | undefined
}

type ModelCall = Call<'model.invoke'>

const MAY_SEE = ['admin', 'trace'] as const
const STREAM = 'text/event-stream; charset=utf-8'

/** Calls of models: what makes two of them one, and their replies, whole and streamed, in either form again. */
export function modelKind({
  options,
  secret,
  clock,
  versionOf = () => undefined,
}: ModelKindParts): Kind<'model.invoke', Ready> {
  const { plan, explain, settingsOf } = planner({ options, secret, versionOf })
  const { maxReplyBytes, paceMs } = options

  function headersOf(marks: Marks, { principal }: ModelCall): Record<string, string> {
    const { level, age, entry, similarity, margin, probability } = marks
    const headers: Record<string, string> = {
      'x-switchyard-cache': 'hit',
      'x-switchyard-cache-level': level,
      age: String(Math.max(0, Math.floor(age))),
    }
    if (!options.tellSimilarity && !MAY_SEE.some((role) => principal.roles.includes(role))) return headers
    headers['x-switchyard-cache-entry'] = entry
    if (similarity !== undefined) headers['x-switchyard-cache-similarity'] = similarity.toFixed(4)
    if (margin !== undefined) headers['x-switchyard-cache-margin'] = margin.toFixed(4)
    if (probability !== undefined) headers['x-switchyard-cache-probability'] = probability.toFixed(4)
    return headers
  }

  function valuesFor({ endpoint }: Ready, { id, request }: ModelCall): Values {
    const created = String(Math.floor(clock.now() / 1_000))
    const values: Record<string, string> = { id: idFor(endpoint, id), created, created_at: created }
    if (endpoint === 'responses')
      for (const name of REPEATED) values[name] = JSON.stringify(request.body[name] ?? (name === 'metadata' ? {} : null))
    return values
  }

  return {
    operation: 'model.invoke',
    plan,
    explain,
    frames: framesOf,
    assemble: (frames, marks, call) => assembled(frames, call, marks === undefined ? undefined : headersOf(marks, call)),
    keep: (call, frames) => keep(call, frames, settingsOf(call), maxReplyBytes),
    open: (payload) => openReady(payload, paceMs > 0),
    wordsOf: (ready) => ready.words(),

    answer(ready, call, marks): ModelReply {
      const form = formFor(call)
      const templates = ready.formOf(form)
      if (templates === undefined)
        throw new SwitchyardError('INTERNAL', `cache: a stored reply of ${ready.endpoint} has no ${form} form`)
      const values = valuesFor(ready, call)
      const headers = Object.assign(headersOf(marks, call), ready.headers)
      const { ending } = ready
      if (form === 'whole') {
        const [template] = templates
        return {
          status: 200,
          headers,
          body: filled(template as (typeof templates)[number], values),
          ended: Promise.resolve(ending),
        }
      }
      headers['content-type'] = STREAM
      const body = new ReplayedStream({ templates, values, ending, signal: call.signal, clock, paceMs })
      return { status: 200, headers, body, ended: body.ended }
    },
  }
}

function formFor({ request: { body, stream } }: ModelCall): Form {
  if (!stream) return 'whole'
  const options = body.stream_options as { readonly include_usage?: unknown } | null | undefined
  return options?.include_usage === true ? 'stream-with-usage' : 'stream'
}

const PREFIXES: Readonly<Record<string, string>> = {
  'chat/completions': 'chatcmpl-',
  completions: 'cmpl-',
  responses: 'resp_',
  messages: 'msg_',
}

/** The reply's id as JSON: it is the call's, so that whoever has one finds the other. */
function idFor(endpoint: Ready['endpoint'], callId: string): string {
  return JSON.stringify(`${PREFIXES[endpoint] ?? ''}${callId}`)
}
