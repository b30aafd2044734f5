/**
 * What a judge's words come to where a no must be said twice: a second, independent answer is asked for after a no, and where the two
 * differ there is no label, which favours neither side. Undefined: no label.
 */
export function settled(first: boolean, second: boolean | undefined): boolean | undefined {
  if (first) return true
  return second === true ? undefined : false
}
