import {
  type Call,
  type Clock,
  type Handler,
  type Next,
  type Operation,
  type Policy,
  STAGES,
  SwitchyardError,
} from '@switchyard/contract'
import type { Instance } from '../lifecycle/instance.ts'
import { wrapUnknown } from './wrap.ts'

/** A policy and the instance it came from. */
export interface PlacedPolicy {
  readonly policy: Policy
  readonly instance: string
}

/** The way of every call of one operation. */
export interface Pipeline {
  readonly operation: Operation
  /** Outermost first. */
  readonly policies: readonly PlacedPolicy[]
  /** Instances that serve the operation, in assembly order. */
  readonly targets: readonly string[]
  readonly run: Next
}

/** Every operation that an instance serves or a policy names. */
export function operationsOf(instances: Iterable<Instance>): ReadonlySet<Operation> {
  const operations = new Set<Operation>()
  for (const { result } of instances) {
    for (const operation of Object.keys(result.serves ?? {})) operations.add(operation as Operation)
    for (const policy of result.policies ?? []) {
      if (policy.operations !== '*') for (const operation of policy.operations) operations.add(operation)
    }
  }
  return operations
}

/** Composes one operation's policies around its handlers: by stage, then in assembly order. Done once, at start. */
export function composePipeline(operation: Operation, instances: Iterable<Instance>, clock: Clock): Pipeline {
  const placed: PlacedPolicy[] = []
  const handlers = new Map<string, Next>()
  for (const { node, result } of instances) {
    for (const policy of result.policies ?? []) {
      if (policy.operations === '*' || policy.operations.includes(operation)) placed.push({ policy, instance: node.instance })
    }
    const handler = result.serves?.[operation] as Handler<Operation> | undefined
    if (handler !== undefined) handlers.set(node.instance, guard(handler.bind(result.serves), node.instance, clock))
  }
  const policies = STAGES.flatMap((stage) => placed.filter(({ policy }) => policy.stage === stage))
  const targets = [...handlers.keys()]
  const terminal: Next = (call) => {
    const handler = handlers.get(call.target)
    return handler === undefined ? Promise.reject(unknownTarget(call, targets)) : handler(call)
  }
  return { operation, policies, targets, run: policies.reduceRight(link, terminal) }
}

function link(next: Next, { policy, instance }: PlacedPolicy): Next {
  const rethrow = (error: unknown): never => {
    throw wrapUnknown(error, instance, `the policy "${policy.name}"`)
  }
  return (call) => {
    try {
      return Promise.resolve(policy.around(Object.freeze(call), next)).then(undefined, rethrow)
    } catch (error) {
      return Promise.reject(wrapUnknown(error, instance, `the policy "${policy.name}"`))
    }
  }
}

/** The end of the way: nothing reaches a target that the caller no longer waits for. */
function guard(handler: Next, instance: string, clock: Clock): Next {
  const rethrow = (error: unknown): never => {
    throw wrapUnknown(error, instance, 'a handler')
  }
  return (call) => {
    if (call.signal.aborted) return Promise.reject(abortReason(call.signal))
    if (call.deadline !== undefined && clock.now() >= call.deadline) return Promise.reject(deadlinePassed(call.target))
    try {
      return Promise.resolve(handler(Object.freeze(call))).then(undefined, rethrow)
    } catch (error) {
      return Promise.reject(wrapUnknown(error, instance, 'a handler'))
    }
  }
}

/** The signal's reason as the contract has it; a policy may have put a signal of its own into the call. */
function abortReason(signal: AbortSignal): SwitchyardError {
  if (SwitchyardError.is(signal.reason)) return signal.reason
  return new SwitchyardError('ABORTED', 'the call was aborted', { cause: signal.reason })
}

/** @see Call.deadline */
export function deadlinePassed(target: string): SwitchyardError {
  return new SwitchyardError('TIMEOUT', `the call to "${target}" did not end before its deadline`)
}

/** `NOT_FOUND` that names the targets there are. */
export function unknownTarget(call: Pick<Call, 'operation' | 'target'>, targets: readonly string[]): SwitchyardError {
  const known = targets.length === 0 ? 'no plugin serves it' : `known targets: ${targets.join(', ')}`
  return new SwitchyardError('NOT_FOUND', `no target "${call.target}" serves ${call.operation}; ${known}`, {
    details: { target: call.target, targets },
  })
}
