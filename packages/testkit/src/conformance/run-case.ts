import { SwitchyardError } from '@switchyard/contract'
import type { ConformanceCase, Opened, Subject } from './suite.ts'

/** Real milliseconds that opening, checking and closing may take, each, so that a hanging implementation fails. */
export const CASE_LIMIT_MS = 10_000

/** How one case went; plain data, as it stands in a report. */
export interface CaseResult {
  readonly id: string
  readonly promise: string
  readonly status: 'passed' | 'failed'
  /** Which half ran: `undeclared` where the instance does not declare what the promise hangs on. */
  readonly ran: 'check' | 'undeclared'
  readonly durationMs: number
  /** Present where failed. */
  readonly error?: CaseError
}

export interface CaseError {
  /** `check` is the promise itself; the others are the subject's start and end. */
  readonly during: 'open' | 'check' | 'close'
  readonly message: string
  /** Of a SwitchyardError. */
  readonly code?: string
  readonly stack?: string
}

export interface CaseOptions<T, F> {
  /** Default: CASE_LIMIT_MS. */
  readonly limitMs?: number
  /** Looks at the subject before the check. */
  readonly onOpened?: (opened: Opened<T, F>) => void
}

/** Runs one case on a fresh subject and closes it whatever happens. Never rejects: a failure is in the result. */
export async function runCase<T, F>(
  testCase: ConformanceCase<T, F>,
  subject: Subject<T, F>,
  options: CaseOptions<T, F> = {},
): Promise<CaseResult> {
  const { limitMs = CASE_LIMIT_MS } = options
  const { id, promise } = testCase
  const began = performance.now()
  let during: CaseError['during'] = 'open'
  let ran: CaseResult['ran'] = 'check'
  let error: CaseError | undefined
  let opened: Opened<T, F> | undefined
  try {
    const opening = subject.open()
    opened = await within(limitMs, 'opening the subject', opening).catch((cause: unknown) => {
      // A subject that opens too late is still closed.
      opening.then((late) => late.close()).catch(() => {})
      throw cause
    })
    options.onOpened?.(opened)
    during = 'check'
    if (testCase.declared !== undefined && !testCase.declared(opened.instance)) ran = 'undeclared'
    const check = ran === 'check' ? testCase.check : testCase.undeclared
    if (check === undefined) throw new TypeError(`case ${id} has \`declared\` but no \`undeclared\``)
    await within(limitMs, 'the check', check.call(testCase, opened))
  } catch (cause) {
    error = describe(cause, during)
  }
  try {
    if (opened !== undefined) await within(limitMs, 'closing the subject', opened.close())
  } catch (cause) {
    error ??= describe(cause, 'close')
  }
  const durationMs = Math.round((performance.now() - began) * 1000) / 1000
  const status = error === undefined ? 'passed' : 'failed'
  return { id, promise, status, ran, durationMs, ...(error === undefined ? {} : { error }) }
}

function within<R>(limitMs: number, what: string, work: Promise<R>): Promise<R> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`${what} did not end within ${limitMs} ms; a promise was left hanging`))
    }, limitMs)
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

function describe(cause: unknown, during: CaseError['during']): CaseError {
  if (!(cause instanceof Error)) return { during, message: `threw ${String(cause)}, which is no Error` }
  const { message, stack } = cause
  return {
    during,
    message,
    ...(SwitchyardError.is(cause) ? { code: cause.code } : {}),
    ...(stack === undefined ? {} : { stack }),
  }
}
