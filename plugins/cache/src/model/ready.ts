import type { ModelEnding, ModelEndpoint } from '@switchyard/contract'
import { editTopLevel, parseExact, saidIn, streamOfWhole } from '@switchyard/model-wire'
import { REPEATED } from './identity.ts'
import { decodePayload, type PayloadHead } from './payload.ts'
import { markFor, placeholder, type Template, templateOf } from './template.ts'

type Json = Readonly<Record<string, unknown>>

/** In which of its forms a reply is wanted. */
export type Form = 'whole' | 'stream' | 'stream-with-usage'

/** A stored reply, each of its forms made when it is first wanted, and once. */
export interface Ready {
  readonly endpoint: ModelEndpoint
  readonly headers: Readonly<Record<string, string>>
  readonly ending: ModelEnding
  /** One template for a whole body, one for a stream, or one for each event of one that is paced. Undefined where it has no such form. */
  formOf(form: Form): readonly Template[] | undefined
  words(): string | undefined
}

/** Pieces of a paced replay whose reply did not come in pieces, in UTF-16 code units. */
const PIECE = 24
/** How much larger than its payload a ready reply is: streams repeat their envelope, those of `responses` all of the text as well. */
const GROWTH = { responses: 9, others: 5 } as const
const OVERHEAD_BYTES = 2_048

/** Makes a stored payload ready. Throws TypeError or SyntaxError where it is none. */
export function openReady(payload: Uint8Array, isPaced: boolean): { readonly ready: Ready; readonly bytes: number } {
  const { head, body } = decodePayload(payload)
  const bytes = Buffer.from(body)
  const parsed = parseExact(bytes.toString('utf8'))
  if (parsed === undefined) throw new TypeError('cache: a stored reply holds no object')
  const growth = head.endpoint === 'responses' ? GROWTH.responses : GROWTH.others
  return { ready: new StoredReply(head, bytes, isPaced), bytes: payload.byteLength * growth + OVERHEAD_BYTES }
}

class StoredReply implements Ready {
  readonly endpoint: ModelEndpoint
  readonly headers: Readonly<Record<string, string>>
  readonly ending: ModelEnding
  readonly #head: PayloadHead
  readonly #body: Buffer
  readonly #isPaced: boolean
  readonly #forms = new Map<Form, readonly Template[] | undefined>()

  constructor(head: PayloadHead, body: Buffer, isPaced: boolean) {
    this.endpoint = head.endpoint
    this.headers = Object.freeze({ ...head.headers })
    this.ending = Object.freeze(head.ending)
    this.#head = head
    this.#body = body
    this.#isPaced = isPaced
  }

  formOf(form: Form): readonly Template[] | undefined {
    if (this.#forms.has(form)) return this.#forms.get(form)
    const made = form === 'whole' ? [this.#whole()] : this.#stream(form === 'stream-with-usage')
    this.#forms.set(form, made)
    return made
  }

  words(): string | undefined {
    if (this.#head.cut === true) return undefined
    const said = saidIn(this.#parsed())
    return said === undefined || said.calls.length > 0 || said.text === '' ? undefined : said.text
  }

  #parsed(): Json {
    return parseExact(this.#body.toString('utf8')) as Json
  }

  /** The bytes as they came, places for what differs. */
  #whole(): Template {
    const mark = markFor(this.#body.toString('utf8'))
    const edits: Record<string, string> = {}
    for (const slot of this.#slots()) edits[slot] = JSON.stringify(placeholder(mark, slot))
    return templateOf(Buffer.from(editTopLevel(this.#body, edits)).toString('utf8'), mark)
  }

  #stream(includeUsage: boolean): readonly Template[] | undefined {
    const parsed = this.#parsed()
    const mark = markFor(JSON.stringify(parsed))
    const body: Record<string, unknown> = { ...parsed }
    for (const slot of this.#slots()) body[slot] = placeholder(mark, slot)
    const pieces = this.#isPaced ? { pieces: this.#head.pieces, pieceLength: PIECE } : {}
    const events = streamOfWhole(this.endpoint, body, { includeUsage, ...pieces })
    if (events === undefined) return undefined
    return this.#isPaced ? events.map((event) => templateOf(event, mark)) : [templateOf(events.join(''), mark)]
  }

  /** Names of members that each reply has its own value of. */
  #slots(): readonly string[] {
    const parsed = this.#parsed()
    const names = this.endpoint === 'responses' ? ['id', 'created_at', ...REPEATED] : ['id', 'created']
    return names.filter((name) => Object.hasOwn(parsed, name) && (name !== 'id' || typeof parsed.id === 'string'))
  }
}
