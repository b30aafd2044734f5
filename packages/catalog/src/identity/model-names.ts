/** Regions that clouds put before a model's name. */
const REGION = /^(us-gov|us|eu|apac|au|jp|ca|sa|global)\./
/** Makers that clouds put before it. Only a name with one of them ends in an API version (`-v1:0`) that is no part of the name. */
const MAKER =
  /^(anthropic|meta|amazon|ai21|cohere|mistral|mistralai|deepseek|qwen|openai|moonshot|moonshotai|minimax|zai|nvidia|google|stability|writer|twelvelabs|luma)\./
const API_VERSION = /-v\d+(:\d+)?$/
/** Ways to be served, not other weights. `:thinking` and quantised variants are models of their own. */
const SERVING = /(:(free|batch|exacto|extended|beta)|@default|-maas)+$/
const AT_DATE = /@(?=\d{6,8}\b)/g
const FIREWORKS_PATH = /^accounts\/fireworks\/models\//

/** Key under which the same weights are found at every provider: `us.anthropic.claude-x-v1:0` and `anthropic/claude-x` are one. */
export function baseModelKey(model: string): string {
  let key = model.toLowerCase()
  key = key.slice(key.lastIndexOf('/') + 1).replace(REGION, '')
  const bare = key.replace(MAKER, '')
  if (bare !== key) key = bare.replace(API_VERSION, '')
  return key.replace(SERVING, '').replaceAll(AT_DATE, '-')
}

/** Key under which the spellings of one model at one provider meet: case, `@` before a date, the path Fireworks puts before it. */
export function spellingKey(model: string): string {
  return model.toLowerCase().replace(FIREWORKS_PATH, '').replaceAll(AT_DATE, '-')
}

const MOVING = /(^|\/)~|[-:]latest($|[-:])/
const MOVING_NAMES: ReadonlySet<string> = new Set(['deepseek-chat', 'deepseek-reasoner'])

/** True for a name that points to one model today and another tomorrow. Its price says nothing of a dated id. */
export function isMoving(model: string): boolean {
  const folded = model.toLowerCase()
  return MOVING.test(folded) || MOVING_NAMES.has(folded.slice(folded.lastIndexOf('/') + 1))
}

/** First words of model families, and the provider of the maker. */
const MAKERS: readonly (readonly [start: RegExp, provider: string])[] = [
  [/^(gpt-|chatgpt-|o[134](-|$)|text-embedding-|whisper|dall-e|tts-1|sora|omni-moderation|codex-)/, 'openai'],
  [/^claude-/, 'anthropic'],
  [/^(gemini-|gemma-|imagen-|veo-)/, 'google'],
  [/^(mistral-|mixtral-|open-mistral|open-mixtral|codestral|ministral|pixtral|devstral|magistral|voxtral)/, 'mistral-ai'],
  [/^grok-/, 'x-ai'],
  [/^deepseek-/, 'deepseek'],
  [/^(command|embed-|rerank-|c4ai-)/, 'cohere'],
  [/^(qwen|qwq|qvq)/, 'dashscope'],
  [/^(kimi-|moonshot-)/, 'moonshot'],
  [/^glm-/, 'z-ai'],
  [/^(nova-|titan-)/, 'bedrock'],
  [/^sonar/, 'perplexity-ai'],
  [/^jamba/, 'ai21'],
  [/^minimax-/, 'minimax'],
  [/^voyage-/, 'voyage'],
  [/^jina-/, 'jina'],
  [/^mimo-/, 'xiaomi'],
  [/^step-/, 'stepfun'],
  [/^nemotron/, 'nvidia'],
]

/** Provider of the one who made a base model, whose word on it counts most; undefined for makers that serve none themselves. */
export function makerOf(baseModel: string): string | undefined {
  return MAKERS.find(([start]) => start.test(baseModel))?.[1]
}
