import type { SparseVector } from '../../src/encoder/hashed-ngrams.ts'
import { HASHED_ENCODER, type Prepared, prepare, seeded, shuffled } from '../../src/evaluate/index.ts'

const THINGS = 'card invoice password account parcel flight ticket router printer salary'.split(' ')
const DEEDS = 'cancel find renew explain order repair rename share'.split(' ')
const BEFORE = 'how do i,please,can you help me to,i would like to,what is the way to,tell me how to'.split(',')
const AFTER = 'for me,quickly,this week,in the app,on the site,from home,with a friend,at work'.split(',')

let all: Promise<readonly Prepared<SparseVector>[]> | undefined

/** Questions of eighty intents in many words, none twice, in a seeded order. Made ready once. */
export async function topics(count: number, seed: number): Promise<readonly Prepared<SparseVector>[]> {
  all ??= prepare(ROWS, HASHED_ENCODER)
  return shuffled(await all, seeded(seed)).slice(0, count)
}

const ROWS = THINGS.flatMap((thing) =>
  DEEDS.flatMap((deed) =>
    BEFORE.flatMap((before) =>
      AFTER.map((after) => ({ text: `${before} ${deed} my ${thing} ${after}`, label: `${deed} ${thing}` })),
    ),
  ),
)
