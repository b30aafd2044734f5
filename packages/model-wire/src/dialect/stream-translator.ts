/** Turns the events of one dialect's stream into those of another. One a stream. */
export interface StreamTranslator {
  /** Takes bytes of the target's stream, in any chunking. Throws SwitchyardError for an error event and for what is no such stream. */
  push(chunk: Uint8Array): void
  /** The target's stream ended. Throws `UPSTREAM_TRUNCATED` where it did so before it was finished. */
  end(): void
  /** The client's events made since the last call, whole; empty where there are none. Valid after a throw, too. */
  take(): Uint8Array
}

const NOTHING: Uint8Array = new Uint8Array(0)

/** Events on their way to the client. */
export class EventBuffer {
  private text = ''

  /** An event whose name is the `type` of its data. */
  named(data: Readonly<Record<string, unknown>> & { readonly type: string }): void {
    this.text += `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`
  }

  /** An event without a name. */
  plain(data: Readonly<Record<string, unknown>> | '[DONE]'): void {
    this.text += `data: ${data === '[DONE]' ? data : JSON.stringify(data)}\n\n`
  }

  take(): Uint8Array {
    if (this.text === '') return NOTHING
    const bytes = Buffer.from(this.text)
    this.text = ''
    return bytes
  }
}
