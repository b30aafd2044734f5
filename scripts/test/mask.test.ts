import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { importsOf } from '../house/imports.ts'
import { lineAt, maskSource } from '../house/mask.ts'

describe('maskSource', () => {
  test.each([
    ['a // b\nc', 'a     \nc'],
    ['a /* b\nc */ d', 'a     \n     d'],
    [`'it\\'s' + "x"`, `'     ' + " "`],
    ['`a ${b} c`', '`  ${b}  `'],
    ['`${`${a}` + b}` / 2', '`${`${a}` + b}` / 2'],
    ['`${{ a: 1 }.a} x`', '`${{ a: 1 }.a}  `'],
    ['x = /[/"]\\/a/g', 'x = /       /g'],
    ['a / b / c', 'a / b / c'],
    ['return /a"/', 'return /  /'],
    ['(a) / b // c', '(a) / b     '],
    ["'open\nclosed'", "'    \nclosed'"],
  ])('%j', (source, masked) => {
    expect(maskSource(source)).toBe(masked)
  })

  test('keeps length and lines, whatever it is given', () => {
    const piece = fc.constantFrom(
      "'",
      '"',
      '`',
      '${',
      '}',
      '{',
      '/',
      '//',
      '/*',
      '*/',
      '\\',
      '\n',
      'a',
      ' ',
      '[',
      ']',
      'from ',
      '😀',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        const source = pieces.join('')
        const masked = maskSource(source)
        expect(masked.length).toBe(source.length)
        expect(masked.split('\n').length).toBe(source.split('\n').length)
      }),
      { numRuns: 500 },
    )
  })
})

describe('importsOf', () => {
  test('finds every form, in order, with its line', () => {
    const source = `import a from 'a'
import { type B } from "b"
import type { C } from '@c/c'
import * as d from './d.ts'
import 'e'
export { f } from 'f'
export type { G } from 'g'
export * from 'h'
const i = await import('i')
type J = import('j').J
const k = require('k')
import {
  l, // from 'no'
} from 'l'
Array.from('no')
`
    expect(importsOf(source).map(({ specifier, line, typeOnly, reExport }) => [specifier, line, typeOnly, reExport])).toEqual([
      ['a', 1, false, false],
      ['b', 2, false, false],
      ['@c/c', 3, true, false],
      ['./d.ts', 4, false, false],
      ['e', 5, false, false],
      ['f', 6, false, true],
      ['g', 7, true, true],
      ['h', 8, false, true],
      ['i', 9, false, false],
      ['j', 10, false, false],
      ['k', 11, false, false],
      ['l', 14, false, false],
    ])
  })
})

test('lineAt counts from 1', () => {
  expect([0, 1, 2, 3].map((offset) => lineAt('a\nb', offset))).toEqual([1, 1, 2, 2])
})
