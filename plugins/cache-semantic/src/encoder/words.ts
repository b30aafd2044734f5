const WORDS = /[\p{L}\p{M}\p{N}]+/gu

/** The words of a text in any script: letters and digits, compatibility forms (NFKC) and case folded. */
export function wordsOf(text: string): readonly string[] {
  return text.normalize('NFKC').toLowerCase().match(WORDS) ?? []
}
