/** Counts the o200k tokens of a short text; text that looks like a special token is text. */
export type Encoder = (text: string) => number

/** The merges that are remembered: each holds on to the slice that it was seen in, so this bounds what hostile texts can make us keep. */
const REMEMBERED_MERGES = 1_024

let loading: Promise<Encoder> | undefined

/**
 * The o200k vocabulary, loaded once a process: 55 MB, and it holds the event loop for 0.2 to 0.4 s, so load it at start-up where OpenAI's
 * texts are to be counted exactly.
 */
export function loadO200k(): Promise<Encoder> {
  loading ??= import('gpt-tokenizer/encoding/o200k_base').then(({ countTokens, setMergeCacheSize }) => {
    setMergeCacheSize(REMEMBERED_MERGES)
    const asText = { disallowedSpecial: new Set<string>() }
    return (text) => countTokens(text, asText)
  })
  return loading
}
