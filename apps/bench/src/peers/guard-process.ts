import { createInterface } from 'node:readline'

/** Reads `+PID` and `-PID`, a line each. At the end of the input the bench is gone, and what is left is killed. */
const pids = new Set<number>()
const lines = createInterface({ input: process.stdin })
lines.on('line', (line) => {
  const pid = Number(line.slice(1))
  if (line.startsWith('+')) pids.add(pid)
  else pids.delete(pid)
})
lines.on('close', () => {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // it has ended
    }
  }
})
