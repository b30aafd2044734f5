import { canonicalProvider } from '../identity/providers.ts'

/** A size of an image model, which the file keeps as a model of its own. */
export interface ImageSize {
  /** `quality/WxH`, the key of `perUnit.image`. */
  readonly key: string
  /** Undefined for `max-x-max`. */
  readonly pixels: number | undefined
}

/** Whose model a key of the file names. */
export interface LiteLlmName {
  readonly provider: string
  readonly model: string
  readonly region?: string
  readonly size?: ImageSize
}

/** Provisioned capacity, priced by the second of a month's commitment. */
const PROVISIONED = /\/\d+-month-commitment\//
const SIZED = /^(?:([a-z]+)\/)?(\d+|max)-x-(\d+|max)\/(?:(\d+-steps)\/)?(.+)$/
const CLOUD_REGION = /^(?:us-gov|[a-z]{2})(?:-[a-z]+)+-\d$|^(?:us|eu|global|global-standard)$/
const PATHS = /^accounts\/fireworks\/models\//

/** Takes a key of the file apart; undefined for what is no price of a model by use. */
export function nameOf(key: string, litellmProvider: string): LiteLlmName | undefined {
  if (PROVISIONED.test(key)) return undefined
  const provider = canonicalProvider(litellmProvider)
  const [, quality, width, height, steps, rest] = SIZED.exec(key) ?? []
  if (rest !== undefined) {
    const pixels = width === 'max' || height === 'max' ? undefined : Number(width) * Number(height)
    const size = { key: `${[quality ?? 'default', steps].filter(Boolean).join('-')}/${width}x${height}`, pixels }
    return { provider, model: bare(rest, provider), size }
  }
  const model = bare(key, provider)
  const slash = model.indexOf('/')
  const region = slash === -1 ? undefined : model.slice(0, slash)
  if (region === undefined || !CLOUD_REGION.test(region)) return { provider, model }
  const inRegion = model.slice(slash + 1)
  return region.startsWith('global') ? { provider, model: inRegion } : { provider, model: inRegion, region }
}

/** The key without the provider before it, however that is spelt. */
function bare(key: string, provider: string): string {
  const slash = key.indexOf('/')
  const owned = slash !== -1 && canonicalProvider(key.slice(0, slash)) === provider
  return (owned ? key.slice(slash + 1) : key).replace(PATHS, '')
}
