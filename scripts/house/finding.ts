/** One breach of a house rule. */
export interface Finding {
  /** Relative to the root of the repo, with `/`. */
  readonly file: string
  /** 1-based. */
  readonly line: number
  /** Id of the rule, such as `import-direction`. */
  readonly rule: string
  readonly wrong: string
  readonly mend: string
}

/** The line a person reads: `file:line  rule  — what is wrong; mend: …`. */
export function describe(finding: Finding): string {
  return `${finding.file}:${finding.line}  ${finding.rule}  — ${finding.wrong}; mend: ${finding.mend}`
}

/** By file, then line, then rule. */
export function sortFindings(findings: readonly Finding[]): readonly Finding[] {
  return [...findings].sort((a, b) => compare(a.file, b.file) || a.line - b.line || compare(a.rule, b.rule))
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
