import { type ChaosTarget, USUAL } from './target.ts'

/** What happens to one target while the load goes on. */
export interface ChaosFault {
  readonly name: string
  /** What its target does, for people. */
  readonly what: string
  begin(target: ChaosTarget): void
  end(target: ChaosTarget): void | Promise<void>
}

const suffering = (name: string, fault: string, what: string): ChaosFault => ({
  name,
  what,
  begin: (target) => target.suffer(fault),
  end: (target) => target.suffer(USUAL),
})

const late = (fault: string): string => `${USUAL}+${fault}`

/** In the order in which they are run. */
export const CHAOS_FAULTS: readonly ChaosFault[] = [
  {
    name: 'killed',
    what: 'SIGKILL, started again at the end',
    begin: (target) => target.signal('SIGKILL'),
    end: (target) => target.restart(),
  },
  {
    name: 'stalled',
    what: 'SIGSTOP: takes connections and is silent',
    begin: (target) => target.signal('SIGSTOP'),
    end: (target) => target.signal('SIGCONT'),
  },
  suffering('stalled-before-content', late('stall:first'), 'headers, and then silence'),
  suffering('cut-before-content', late('end:first'), 'headers, and then a clean end'),
  suffering('cut-mid-stream', late('end:mid'), 'a clean end after some content'),
  suffering('429', late('status:429'), 'rate limited, with no word on when'),
  suffering('429-retry-after', late('status:429,retry-after:2'), 'rate limited for 2 s'),
  suffering('500', late('status:500'), 'an internal error'),
  suffering('html-200', late('html'), 'a page for people, with status 200'),
  suffering('error-in-200', late('error:first'), 'an error object, or event, with status 200'),
  suffering('slow', 'delay:headers:400+delay:tokens:40', 'right, but ten times slower'),
]
