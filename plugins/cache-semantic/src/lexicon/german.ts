// house: data table
import { type Lexicon, lexiconOf } from './lexicon.ts'

/** German. `eins` and `ein` are no numbers: they stand for anything. */
export const GERMAN: Lexicon = lexiconOf({
  language: 'de',
  frequent: `der die das den dem des ein eine einen einem einer ist sind war bin ich du er sie es wir ihr mein meine mich mir dich dir und oder aber nicht wie was wann wo warum wer kann können soll muss will habe hat haben zu zum zur von im in auf für mit bei bitte auch noch ob dass als`,
  negations: `nicht kein keine keinen keinem keiner nie niemals nichts ohne niemand weder außer nirgends`,
  askers: `was wie wann wo warum weshalb wieso wer wem wen welche welcher welches welchen woher wohin wozu kann können darf muss`,
  pointing: `und oder aber dann das dies diese dieser dieses es sie er die der den dem da dort hier was wie ist mit auch noch eins andere anderes anderen nochmal warum bitte ja nein so denn`,
  ambiguousDates: `mai`,
  beforeDate: `im am bis seit ab jeden nächsten letzten`,
  from: `von vom aus ab`,
  to: `nach zu zum zur bis`,
  endings: `ungen ung ern en er es em e s n`,
  numbers: {
    null: 0,
    zwei: 2,
    drei: 3,
    vier: 4,
    fünf: 5,
    sechs: 6,
    sieben: 7,
    acht: 8,
    neun: 9,
    zehn: 10,
    elf: 11,
    zwölf: 12,
    zwanzig: 20,
    dreißig: 30,
    vierzig: 40,
    fünfzig: 50,
    sechzig: 60,
    siebzig: 70,
    achtzig: 80,
    neunzig: 90,
    hundert: 100,
    tausend: 1000,
    dutzend: 12,
    zweite: 2,
    zweiten: 2,
    dritte: 3,
    dritten: 3,
  },
  dates: {
    montag: 'day:1',
    dienstag: 'day:2',
    mittwoch: 'day:3',
    donnerstag: 'day:4',
    freitag: 'day:5',
    samstag: 'day:6',
    sonntag: 'day:7',
    sonnabend: 'day:6',
    januar: 'month:1',
    februar: 'month:2',
    märz: 'month:3',
    april: 'month:4',
    mai: 'month:5',
    juni: 'month:6',
    juli: 'month:7',
    august: 'month:8',
    september: 'month:9',
    oktober: 'month:10',
    november: 'month:11',
    dezember: 'month:12',
    heute: 'today',
    morgen: 'tomorrow',
    gestern: 'yesterday',
    übermorgen: '+2',
    vorgestern: '-2',
    weihnachten: '12-25',
    ostern: 'easter',
  },
  currencies: {
    euro: 'EUR',
    eur: 'EUR',
    dollar: 'USD',
    usd: 'USD',
    franken: 'CHF',
    chf: 'CHF',
    pfund: 'GBP',
    yen: 'JPY',
    cent: 'cent',
  },
  units: {
    kg: 'kg',
    g: 'g',
    km: 'km',
    m: 'm',
    cm: 'cm',
    mm: 'mm',
    mb: 'MB',
    gb: 'GB',
    tb: 'TB',
    kb: 'kB',
    ms: 'ms',
    min: 'min',
    h: 'h',
    kilo: 'kg',
    kilogramm: 'kg',
    gramm: 'g',
    kilometer: 'km',
    meter: 'm',
    zentimeter: 'cm',
    sekunden: 's',
    sekunde: 's',
    minuten: 'min',
    minute: 'min',
    stunden: 'h',
    stunde: 'h',
    tage: 'd',
    tag: 'd',
    tagen: 'd',
    wochen: 'w',
    woche: 'w',
    monate: 'mo',
    monat: 'mo',
    jahre: 'a',
    jahr: 'a',
    prozent: '%',
    grad: 'deg',
    uhr: 'h',
    liter: 'l',
  },
  opposites: `
    an aus
    auf ab
    einschalten ausschalten
    anschalten ausschalten
    aktivieren deaktivieren
    öffnen schließen
    starten stoppen
    vor nach
    vorher nachher
    hinzufügen entfernen
    erstellen löschen
    anlegen löschen
    erhöhen senken
    erhöhen verringern
    kaufen verkaufen
    sperren entsperren
    abonnieren abbestellen
    anmelden abmelden
    einloggen ausloggen
    installieren deinstallieren
    verbinden trennen
    erlauben verbieten
    annehmen ablehnen
    hochladen herunterladen
    importieren exportieren
    senden empfangen
    einzahlen abheben
    maximal minimal
    höchste niedrigste
    mehr weniger
    hoch niedrig
    heiß kalt
    schnell langsam
    früh spät
    früher später
    erste letzte
    nächste vorherige
    heute morgen
    heute gestern
    links rechts
    nord süd
    innen außen
    mit ohne
    wahr falsch
    ja nein
    öffentlich privat
    ankunft abfahrt
    größer kleiner
    länger kürzer
    teuer billig
    über unter
    best schlechtest
  `,
})
