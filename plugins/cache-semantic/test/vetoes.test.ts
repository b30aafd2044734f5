import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Question, questionOf } from '../src/policy/question.ts'
import { type Refusal, refusalOf, type Veto, vetoOf } from '../src/policy/vetoes.ts'

const APART: readonly (readonly [Veto, string, string])[] = [
  ['numbers', 'how do i pay 2 bills', 'how do i pay 3 bills'],
  ['numbers', 'book a table for two', 'book a table for four'],
  ['numbers', 'what is 2+2', 'what is 2+3'],
  ['numbers', 'what is 2 + 2', 'what is 2 - 2'],
  ['numbers', 'is −5 cold', 'is 5 cold'],
  ['numbers', 'is 5 greater than 3', 'is 3 greater than 5'],
  ['numbers', 'rooms with x <5', 'rooms with x >5'],
  ['numbers', 'chapter one of the manual', 'chapter two of the manual'],
  ['numbers', 'is it 1,000 or so', 'is it 10,000 or so'],
  ['money', 'transfer $50 to savings', 'transfer $500 to savings'],
  ['money', 'transfer 50 dollars', 'transfer 50 euros'],
  ['money', 'what does 5€ buy', 'what does 5 £ buy'],
  ['units', 'convert 10 kg to stones', 'convert 10 miles to stones'],
  ['units', 'wake me in 5 minutes', 'wake me in 5 hours'],
  ['units', 'a file of 10GB', 'a file of 10MB'],
  ['dates', 'is the bank open on monday', 'is the bank open on sunday'],
  ['dates', 'weather today', 'weather tomorrow'],
  ['dates', 'invoice of 2026-01-03', 'invoice of 2026-01-04'],
  ['dates', 'flights on 3 may', 'flights on 3 june'],
  ['ids', 'where is order AB-1234', 'where is order AB-1235'],
  ['ids', 'look at ticket #17', 'look at ticket #18'],
  ['ids', 'foods with vitamin b', 'foods with vitamin c.'],
  ['ids', 'the price of plan a', 'the price of plan B?'],
  ['ids', 'a tutorial of c++', 'a tutorial of c#'],
  ['emails', 'write to ann@example.com', 'write to bob@example.com'],
  ['urls', 'summarise https://example.com/a', 'summarise https://example.com/b'],
  ['quoted', 'what does "idle" mean', 'what does "lazy" mean'],
  ['code', 'what does parse_url do', 'what does parse_query do'],
  ['code', 'what does `map` do', 'what does `filter` do'],
  ['code', 'how to call useState', 'how to call useEffect'],
  ['code', 'what is os.path', 'what is os.environ'],
  ['code', 'run it with --force', 'run it with --dry-run'],
  ['negation', 'why can i log in', 'why can i not log in'],
  ['negation', "the card doesn't work", 'the card works'],
  ['opposites', 'turn the light on', 'turn the light off'],
  ['opposites', 'how do i enable 2FA', 'how do i disable 2FA'],
  ['opposites', 'eat before the flight', 'eat after the flight'],
  ['opposites', 'is it safe to swim', 'is it unsafe to swim'],
  ['opposites', 'the advantages of solar', 'the disadvantages of solar'],
  ['opposites', 'is it refundable', 'is it nonrefundable'],
  ['negation', 'why can i n\u00adot log in', 'why can i log in'],
  ['opposites', 'como activar el modo avion', 'como desactivar el modo avion'],
  ['direction', 'flights from boston to denver', 'flights from denver to boston'],
  ['names', 'the population of France', 'the population of Spain'],
  ['script', 'what is soup', 'что такое суп'],
  ['language', 'where is the station and when does it open', 'où est la gare et quand est ce que la gare ouvre'],
  ['numbers', 'bitte zwei karten für den zug', 'bitte drei karten für den zug'],
  ['negation', 'warum kann ich das nicht sehen', 'warum kann ich das sehen'],
  ['opposites', 'wie kann ich das konto sperren', 'wie kann ich das konto entsperren'],
  ['dates', 'ist die bank am montag auf', 'ist die bank am freitag auf'],
  ['opposites', 'comment activer la carte', 'comment désactiver la carte'],
  ['negation', 'je peux voir mon compte', 'je ne peux pas voir mon compte'],
  ['numbers', 'deux billets pour la plage', 'trois billets pour la plage'],
  ['opposites', 'cómo puedo bloquear la tarjeta', 'cómo puedo desbloquear la tarjeta'],
  ['numbers', 'dos entradas para el cine', 'tres entradas para el cine'],
]

const TOGETHER: readonly (readonly [string, string])[] = [
  ['how do i reset my password', 'I forgot my password, how can I reset it?'],
  ['book a table for two', 'a table for 2 please'],
  ['transfer $50', 'send 50 dollars'],
  ['how much is 1,000.50 euros', '1000.5 € is how much'],
  ['the 3rd of may', 'may 3'],
  ['may i ask something', 'can i ask something'],
  ['i want one coffee', 'i want a coffee'],
  ['i want a table, i do', 'a table'],
  ['is it information of mine', 'is it of mine'],
  ['chapters 2-5', 'chapters 2 – 5'],
  ['WHERE IS PARIS', 'where is Paris'],
]

describe('vetoes', () => {
  test.each(APART)('%s keeps "%s" and "%s" apart, either way', (veto, one, other) => {
    expect(vetoOf(questionOf(one), questionOf(other))).toBe(veto)
    expect(vetoOf(questionOf(other), questionOf(one))).toBe(veto)
  })

  test.each(TOGETHER)('"%s" and "%s" may share', (one, other) => {
    expect(vetoOf(questionOf(one), questionOf(other))).toBeUndefined()
  })

  test('is the same either way, none against itself, and never throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (one, other) => {
        const [a, b] = [questionOf(one), questionOf(other)]
        expect(vetoOf(a, b)).toBe(vetoOf(b, a))
        expect(vetoOf(a, a)).toBeUndefined()
      }),
    )
  })

  test('two whole numbers in one sentence never share an answer unless they are equal', () => {
    const number = fc.integer({ min: 0, max: 1e9 })
    fc.assert(
      fc.property(number, number, (one, other) => {
        const ask = (value: number): Question => questionOf(`is ${value} a prime`)
        expect(vetoOf(ask(one), ask(other)) === undefined).toBe(one === other)
      }),
    )
  })
})

const ALONE = { earlierTurns: false, sharedBeyondUser: true, anyLanguage: false }
const REFUSED: readonly (readonly [Refusal, string, Partial<typeof ALONE>])[] = [
  ['empty', '?!', {}],
  ['pointing', 'and that one?', { earlierTurns: true }],
  ['pointing', 'und das?', { earlierTurns: true }],
  ['personal', 'my mail is ann@example.com', {}],
  ['personal', 'call me at +49 (170) 123 45 67', {}],
  ['language', 'что такое суп', {}],
]

describe('refusals', () => {
  test.each(REFUSED)('%s: "%s"', (refusal, text, around) => {
    expect(refusalOf(questionOf(text, text.startsWith('und') ? 'de' : 'en'), { ...ALONE, ...around })).toBe(refusal)
  })

  test('what points back is let through without earlier turns, what is personal within one user, any script by option', () => {
    expect(refusalOf(questionOf('and that one?'), ALONE)).toBeUndefined()
    expect(refusalOf(questionOf('and the blue shoes?'), { ...ALONE, earlierTurns: true })).toBeUndefined()
    expect(refusalOf(questionOf('my mail is ann@example.com'), { ...ALONE, sharedBeyondUser: false })).toBeUndefined()
    expect(refusalOf(questionOf('что такое суп'), { ...ALONE, anyLanguage: true })).toBeUndefined()
  })
})
