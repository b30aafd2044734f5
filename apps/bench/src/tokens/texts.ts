import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'

/** A kind of text, and how to come by some. Other texts than those that the estimates were fitted to. */
export const TEXTS: readonly (readonly [kind: string, text: string])[] = [
  ['prose', read('../../../../CONTRIBUTING.md') + read('../../README.md')],
  ['code', read('../../../../packages/kernel/src/pipeline/flight.ts') + read('../faults/bench.ts')],
  ['json', read('../../../../biome.json') + JSON.stringify(orders())],
  [
    'chinese',
    '昨天晚上我们在山脚下的小旅馆住了一夜。老板娘给我们煮了热汤面，还告诉我们明天早上天气会变好。第二天清晨，雾还没有散，我们就沿着石板路往上走，两个小时以后终于看见了湖。',
  ],
  [
    'japanese',
    '昨日の夜、私たちは山のふもとの小さな宿に泊まりました。おかみさんが温かいうどんを作ってくれて、明日の朝は晴れると教えてくれました。翌朝、霧が晴れる前に石の道を登り始めました。',
  ],
  [
    'korean',
    '어젯밤 우리는 산기슭의 작은 여관에서 묵었다. 주인아주머니가 따뜻한 국수를 끓여 주며 내일 아침에는 날씨가 좋아질 거라고 했다.',
  ],
  [
    'russian',
    'Вчера вечером мы остановились в маленькой гостинице у подножия горы. Хозяйка сварила нам горячий суп и сказала, что утром погода наладится.',
  ],
  ['arabic', 'بتنا ليلة أمس في نزل صغير عند سفح الجبل. أعدت لنا صاحبة النزل حساء ساخنا وقالت إن الطقس سيتحسن في الصباح.'],
  ['hindi', 'कल रात हम पहाड़ की तलहटी में एक छोटी सराय में रुके। मालकिन ने हमारे लिए गरम सूप बनाया और कहा कि सुबह मौसम ठीक हो जाएगा।'],
  ['thai', 'เมื่อคืนเราพักที่โรงแรมเล็กๆ เชิงเขา เจ้าของทำซุปร้อนให้เรากินและบอกว่าพรุ่งนี้เช้าอากาศจะดีขึ้น'],
  [
    'german',
    'Gestern Abend übernachteten wir in einem kleinen Gasthof am Fuß des Berges. Die Wirtin kochte uns eine heiße Suppe und meinte, das Wetter würde sich bis zum Morgen bessern.',
  ],
  ['emoji', '😂❤️🤣👍😭🙏😘🥰😍😊🎉😁💕🥺😅🔥☺️🤦🏻‍♀️♥️🤷🏽‍♂️🙄😆🤗😉🎂🤔👏🏿🙂😳🥳😎👌💜😔💪✨💖👀😋😏😢👉💗😩💯🌹💞🎈💙😃😡💐'],
  ['base64', randomBytes(1_400).toString('base64')],
  ['hex', randomBytes(900).toString('hex')],
]

/** Texts of 1 MB (or 64 k characters, all of which are encoded) that are made to be slow. */
export const HOSTILE: readonly (readonly [name: string, text: string])[] = [
  ['1 MB of a', 'a'.repeat(1 << 20)],
  ['1 MB of base64', randomBytes(786_432).toString('base64')],
  ['1 MB of Chinese', '漢字'.repeat(174_763)],
  ['1 MB of emoji', '🧿'.repeat(1 << 18)],
  ['1 MB of lines and slashes', '/\n'.repeat(1 << 19)],
  ['1 MB of short words', 'a '.repeat(1 << 19)],
  ['1 MB of spaces', ' '.repeat(1 << 20)],
  ['1 MB of null bytes', '\0'.repeat(1 << 20)],
  ['64 k of a, runs of 2,000', `${'a'.repeat(1_999)} `.repeat(32)],
  ['64 k of Chinese, runs of 2,000', `${'漢'.repeat(1_999)} `.repeat(32)],
  ['64 k of spaces', ' '.repeat(65_536)],
  ['64 k of lines and slashes', '/\n'.repeat(32_768)],
  ['64 k of prose', read('../../../../CONTRIBUTING.md').repeat(20).slice(0, 65_536)],
]

function read(path: string): string {
  return readFileSync(new URL(path, import.meta.url), 'utf8')
}

function orders(): readonly unknown[] {
  return Array.from({ length: 20 }, (_, index) => ({
    trackingNumber: `TRK${98_765 + index * 311}`,
    weightKg: index / 4,
    address: { street: `${index} Mill Lane`, city: 'Oban', postcode: null },
    express: index % 2 === 0,
  }))
}
