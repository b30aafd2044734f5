import { CAPABILITIES, type Catalog, type CatalogQuery, type Entry, type Modality } from '@switchyard/catalog'
import { SwitchyardError } from '@switchyard/contract'

/** Filters as a person writes them, on the command line or in a URL; several values of one are parted by commas. */
export interface ModelFilters {
  /** Each must be known to be true. */
  readonly capability?: string | undefined
  /** What it must take in, or after `>` give out: `text,image>text`. */
  readonly modality?: string | undefined
  readonly provider?: string | undefined
  /** USD per million tokens, of input and of output. */
  readonly maxPrice?: string | undefined
  /** Tokens; `200k` and `1m` are understood. */
  readonly minContext?: string | undefined
  /** Text within id or name. */
  readonly q?: string | undefined
  /** Those that are deprecated or retired too. */
  readonly deprecated?: boolean | undefined
}

const MODALITIES: readonly Modality[] = ['text', 'image', 'audio', 'video', 'pdf']

/**
 * Models that meet all filters, in order of id.
 * @param now Epoch ms at which a model counts as deprecated or not.
 * @throws SwitchyardError `INVALID_REQUEST` naming the filter and what it takes.
 */
export function findModels(catalog: Catalog, filters: ModelFilters, now: number): readonly Entry[] {
  const found = catalog.find(queryOf(filters, now))
  const sought = filters.q?.toLowerCase()
  if (sought === undefined || sought === '') return found
  return found.filter(({ id, name }) => id.toLowerCase().includes(sought) || name?.toLowerCase().includes(sought) === true)
}

function queryOf(filters: ModelFilters, now: number): CatalogQuery {
  const { capability, modality, provider, maxPrice, minContext, deprecated } = filters
  return {
    ...(capability !== undefined && { capabilities: namesIn('capability', capability, CAPABILITIES) }),
    ...(modality !== undefined && { modalities: modalitiesIn(modality) }),
    ...(provider !== undefined && { providers: listIn(provider) }),
    ...(maxPrice !== undefined && { maxPrice: priceIn(maxPrice) }),
    ...(minContext !== undefined && { minContext: tokensIn(minContext) }),
    ...(deprecated !== true && { notDeprecatedBefore: now }),
  }
}

function listIn(text: string): readonly string[] {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean)
}

function namesIn<T extends string>(filter: string, text: string, known: readonly T[]): readonly T[] {
  return listIn(text).map((name) => {
    const found = known.find((one) => one.toLowerCase() === name.toLowerCase())
    if (found === undefined) throw invalid(filter, `${JSON.stringify(name)} is none of ${known.join(', ')}`)
    return found
  })
}

function modalitiesIn(text: string): NonNullable<CatalogQuery['modalities']> {
  const [input = '', output = ''] = text.split('>')
  return { input: namesIn('modality', input, MODALITIES), output: namesIn('modality', output, MODALITIES) }
}

function priceIn(text: string): number {
  const price = Number(text)
  if (text.trim() !== '' && price >= 0 && Number.isFinite(price)) return price
  throw invalid('maxPrice', `${JSON.stringify(text)} is no amount of USD per million tokens, such as 1 or 0.25`)
}

function tokensIn(text: string): number {
  const [, digits, unit = ''] = /^(\d{1,12})([km]?)$/i.exec(text.trim()) ?? []
  if (digits === undefined)
    throw invalid('minContext', `${JSON.stringify(text)} is no number of tokens, such as 128000 or 128k`)
  return Number(digits) * ({ k: 1_000, m: 1_000_000 }[unit.toLowerCase()] ?? 1)
}

function invalid(param: string, message: string): SwitchyardError {
  return new SwitchyardError('INVALID_REQUEST', `${param}: ${message}`, { details: { param } })
}
