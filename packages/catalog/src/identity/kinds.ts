import type { EntryKind } from '../entry.ts'

/** Names that leave no doubt, for sources that do not say what a model is. Guards and most readers of documents are chat models. */
const BY_NAME: readonly (readonly [pattern: RegExp, kind: EntryKind])[] = [
  [/rerank/, 'rerank'],
  [/embed|(^|\/)(bge|gte|e5)-|(^|\/)voyage-(?!.*chat)/, 'embedding'],
  [/moderation/, 'moderation'],
  [/whisper|transcribe|(^|[-/])asr([-.]|$)|(^|[-/])stt([-.]|$)/, 'transcription'],
  [/(^|[-/])tts([-.0-9]|$)|text-to-speech/, 'speech'],
  [/realtime/, 'realtime'],
  [/mistral-ocr/, 'ocr'],
  [
    /dall-e|gpt-image|chatgpt-image|imagen|(^|\/)flux|stable-diffusion|seedream|ideogram|recraft|image-(generation|preview)/,
    'image',
  ],
  [/(^|\/)(sora|veo)-|text-to-video|seedance|kling|hailuo/, 'video'],
]

/** What a model is by its name alone; undefined where the name does not tell. */
export function kindByName(model: string): EntryKind | undefined {
  const folded = model.toLowerCase()
  return BY_NAME.find(([pattern]) => pattern.test(folded))?.[1]
}
