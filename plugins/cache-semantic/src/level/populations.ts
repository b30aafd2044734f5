import type { Cache, Clock, Logger } from '@switchyard/contract'
import { timed } from '../own-calls/timed.ts'
import { inSlices, type Sliced } from './in-slices.ts'
import { type Population, type PopulationParts, populationOf } from './population.ts'
import { decodeState, encodeInSlices, type SavedState, stateKey } from './saved-state.ts'

/** The populations that are in use. */
export interface Populations {
  /** One that is loaded; undefined while it is not, which begins to load it. */
  of(name: string): Population | undefined
  /** Resolves once a load that is under way has ended, however it did. */
  loaded(name: string): Promise<void>
  /** Without loading it. */
  known(name: string): Population | undefined
  /** Counts a request, of one that is not loaded yet too. `isRepeat`: an exact level had its answer. */
  counted(name: string, isRepeat: boolean): void
  /** Says that something was learnt: does what is due, in slices between requests, and saves what was learnt `here` now and then. */
  learnt(population: Population, here: boolean): void
  all(): readonly Population[]
  /** Saves all that has something new. */
  close(): Promise<void>
}

export interface PopulationsParts extends PopulationParts {
  readonly encoder: string
  readonly most: number
  /** Absent: nothing outlives the process. One of this process alone is written to when a population makes room, and at the end. */
  readonly cache: Cache | undefined
  readonly clock: Pick<Clock, 'now' | 'monotonic' | 'schedule'>
  readonly log: Pick<Logger, 'warn'>
}

interface Place {
  readonly name: string
  population: Population | undefined
  loading: Promise<void> | undefined
  retryAt: number
  /** Requests before it was loaded; repeats or not. */
  readonly early: boolean[]
  /** Labels of this node that are not saved; others' are saved by them. */
  unsaved: number
  saving: Promise<void> | undefined
  cancelSlice: (() => void) | undefined
}

const LABELS_A_SAVE = 250
/** Requests counted ahead of a load. */
const MOST_EARLY = 10_000
const STORE_MS = 2_000
const RETRY_MS = 5_000
/** What was learnt is of use for long; evidence that is too old is left out by the policy. */
const KEPT_MS = 30 * 86_400_000

/** None yet. Beyond `most`, the one that was not used for longest is saved and forgotten. */
export function populations(parts: PopulationsParts): Populations {
  const { encoder, most, cache, clock, log } = parts
  const places = new Map<string, Place>()
  const leaving = new Map<string, Promise<void>>()
  const encodings = new Set<Sliced<Uint8Array>>()
  let isClosing = false
  let isAway = false

  const placeOf = (name: string): Place => {
    const known = places.get(name)
    if (known !== undefined) {
      places.delete(name)
      places.set(name, known)
      return known
    }
    const place: Place = {
      name,
      population: undefined,
      loading: undefined,
      retryAt: Number.NEGATIVE_INFINITY,
      early: [],
      unsaved: 0,
      saving: undefined,
      cancelSlice: undefined,
    }
    places.set(name, place)
    if (places.size > most) forget(places.values().next().value as Place)
    return place
  }

  const forget = (place: Place): void => {
    places.delete(place.name)
    place.cancelSlice?.()
    if (place.unsaved === 0) return
    const saving = save(place).finally(() => {
      if (leaving.get(place.name) === saving) leaving.delete(place.name)
    })
    leaving.set(place.name, saving)
  }

  const load = async (place: Place): Promise<void> => {
    let saved: SavedState | undefined
    if (cache !== undefined) {
      try {
        // What it left with is not to be read before it is written.
        await leaving.get(place.name)
        const key = stateKey(place.name, encoder)
        const entry = await timed((signal) => cache.get(key, { signal }), { clock, ms: STORE_MS, what: 'the state' })
        saved = entry === undefined ? undefined : decodeState(entry.value)
        isAway = false
      } catch (error) {
        // To begin anew would in time replace what is stored.
        place.retryAt = clock.monotonic() + RETRY_MS
        if (!isAway)
          log.warn({ population: place.name, error }, 'what was learnt could not be read: likeness is off until it can')
        isAway = true
        return
      }
    }
    place.population = begin(place.name, saved)
    for (const isRepeat of place.early.splice(0)) count(place.population, isRepeat)
  }

  const begin = (name: string, saved: SavedState | undefined): Population => {
    try {
      return populationOf(name, parts, saved)
    } catch (error) {
      log.warn({ population: name, error }, 'what was learnt is not readable: it is learnt anew')
      return populationOf(name, parts)
    }
  }

  const save = async (place: Place): Promise<void> => {
    const { population, saving } = place
    if (saving !== undefined) await saving
    if (cache === undefined || population === undefined || place.unsaved === 0) return
    place.unsaved = 0
    place.saving = write(cache, population)
      .catch((error: unknown) => log.warn({ population: place.name, error }, 'what was learnt could not be kept'))
      .finally(() => {
        place.saving = undefined
      })
    await place.saving
  }

  const write = async (to: Cache, population: Population): Promise<void> => {
    const encoding = inSlices(encodeInSlices(population), clock)
    encodings.add(encoding)
    if (isClosing) encoding.hurry()
    const value = await encoding.done.finally(() => encodings.delete(encoding))
    const entry = { value, expiresAt: clock.now() + KEPT_MS }
    const key = stateKey(population.name, encoder)
    await timed((signal) => to.set(key, entry, { signal }), { clock, ms: STORE_MS, what: 'the state' })
  }

  const slice = (place: Place): void => {
    place.cancelSlice ??= clock.schedule(0, () => {
      place.cancelSlice = undefined
      if (place.population?.policy.maintain() === true) slice(place)
    })
  }

  return {
    of(name) {
      const place = placeOf(name)
      if (place.population === undefined && place.loading === undefined && clock.monotonic() >= place.retryAt)
        place.loading = load(place).finally(() => {
          place.loading = undefined
        })
      return place.population
    },
    loaded: async (name) => places.get(name)?.loading,
    known: (name) => places.get(name)?.population,
    counted(name, isRepeat) {
      const place = placeOf(name)
      if (place.population !== undefined) count(place.population, isRepeat)
      else if (place.early.length < MOST_EARLY) place.early.push(isRepeat)
    },
    learnt(population, here) {
      const place = places.get(population.name)
      if (place?.population !== population) return
      slice(place)
      if (here) place.unsaved += 1
      if (cache?.capabilities.shared === true && place.unsaved >= LABELS_A_SAVE && place.saving === undefined) void save(place)
    },
    all: () => [...places.values()].flatMap(({ population }) => population ?? []),
    async close() {
      isClosing = true
      for (const place of places.values()) place.cancelSlice?.()
      for (const encoding of encodings) encoding.hurry()
      await Promise.all([...places.values()].map(save))
      await Promise.all(leaving.values())
    },
  }
}

function count({ policy, counts }: Population, isRepeat: boolean): void {
  policy.request()
  counts.requests += 1
  counts.repeats += Number(isRepeat)
}
