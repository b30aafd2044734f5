import { readFileSync } from 'node:fs'

const TICKS_PER_SECOND = 100

/** User and system CPU time of processes so far, in microseconds; undefined where the system has no /proc. */
export function cpuMicros(pids: readonly number[]): number | undefined {
  let ticks = 0
  for (const pid of pids) {
    const stat = read(`/proc/${pid}/stat`)
    if (stat === undefined) return undefined
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    ticks += Number(fields[11]) + Number(fields[12])
  }
  return (ticks * 1e6) / TICKS_PER_SECOND
}

/** Resident memory of processes now, in MB; undefined where the system has no /proc. */
export function rssMb(pids: readonly number[]): number | undefined {
  let kilobytes = 0
  for (const pid of pids) {
    const status = read(`/proc/${pid}/status`)
    if (status === undefined) return undefined
    kilobytes += Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0)
  }
  return kilobytes / 1024
}

/** Process ids of a process and all below it. */
export function processTree(pid: number): readonly number[] {
  const children = read(`/proc/${pid}/task/${pid}/children`)?.trim()
  return [pid, ...(children ? children.split(' ').flatMap((child) => processTree(Number(child))) : [])]
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
