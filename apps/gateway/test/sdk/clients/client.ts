/** What every client asks for in the same words, so that their cases are one table. */
export interface Prompt {
  readonly model: string
  readonly system?: string
  readonly text: string
  /** A URL, or bytes with their type. */
  readonly image?: { readonly url: string } | { readonly type: string; readonly base64: string }
  readonly maxTokens?: number
}

export interface Said {
  readonly text: string
  /** As the client tells it. */
  readonly ended: unknown
  readonly inputTokens: unknown
  readonly outputTokens: unknown
}

/** One unmodified SDK with one of its APIs, brought to the same few wishes. None of them retries. */
export interface Client {
  readonly name: string
  /** The endpoint of the gateway that it calls. */
  readonly endpoint: 'chat/completions' | 'messages' | 'responses'
  /** How it tells an answer that ended by itself, and one that its limit cut off. */
  readonly ends: { readonly stop: unknown; readonly length: unknown }
  /** Tokens that it tells of a stream by target, where it does not tell what it was told. */
  readonly miscounts?: Readonly<Record<'chat' | 'messages', { readonly inputTokens: number; readonly outputTokens: number }>>
  text(prompt: Prompt): Promise<Said>
  /** Tells each piece of the text as it comes; rejects where the stream fails. */
  stream(prompt: Prompt, piece: (text: string) => void, signal?: AbortSignal): Promise<Said>
  /** Lets the model call TOOLS, hands back what they give, and tells what it says then. */
  tools(prompt: Prompt, streamed: boolean): Promise<string>
  /** An object that fits CITY. */
  object(prompt: Prompt): Promise<unknown>
  /** What a failure was, as the client tells it: the HTTP status and its own class where it has one for it. */
  failure(error: unknown): { readonly status: unknown; readonly message: string }
}

/** Where and with which key a client calls. */
export interface Reach {
  /** Of the gateway, without `/v1`. */
  readonly url: string
  readonly key: string
}
