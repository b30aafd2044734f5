/** Texts of each kind, written for these tests; long enough that a ratio means something. */
export const SAMPLES: Readonly<Record<string, string>> = {
  prose: `The harbour master kept two books. In the first he wrote what the captains told him: cargo, tonnage, the port they had left and the
port they hoped to reach. In the second, which nobody asked to see, he wrote what he saw himself from the window above the lock, and the
two rarely agreed. A ship that declared timber rode far too low for timber; another, bound for the north, took on fruit that would never
have lasted the week. He did not think of himself as suspicious. He thought of himself as somebody who preferred to count things twice,
because the first number was usually a wish and only the second one was a measurement.`,
  code: `export function leaseOf(store: Map<string, Lease>, key: string, now: number): Lease | undefined {
  const held = store.get(key)
  if (held === undefined) return undefined
  if (held.expiresAt <= now) {
    store.delete(key)
    return undefined
  }
  for (const listener of held.listeners) listener({ kind: 'touched', key, at: now })
  return { ...held, touchedAt: now, renewals: held.renewals + 1 }
}

async function drain(queue: AsyncIterable<Job>, { signal, limit = 8 }: DrainOptions): Promise<number> {
  let done = 0
  for await (const job of queue) {
    if (signal.aborted) break
    await job.run({ attempt: job.attempts + 1, signal })
    if (++done >= limit) break
  }
  return done
}`,
  json: JSON.stringify(
    Array.from({ length: 12 }, (_, index) => ({
      id: `ord_${1000 + index * 37}`,
      customer: { name: `Customer ${index}`, email: `c${index}@shop.example`, active: index % 3 !== 0 },
      lines: [{ sku: `AB-${index}-77`, quantity: index + 1, unitPrice: 12.5 + index, currency: 'EUR' }],
      createdAt: `2026-0${1 + (index % 9)}-1${index % 10}T08:15:00Z`,
    })),
  ),
  chinese:
    '港口的管理员有两本账簿。第一本记录船长们告诉他的事情：货物、吨位、出发的港口和希望到达的港口。第二本没有人要求查看，他写下自己从窗口看到的一切，两本账很少一致。申报木材的船吃水太深，另一艘开往北方的船装载了根本保存不了一周的水果。他并不认为自己多疑，只是喜欢把事情数两遍。',
  japanese:
    '港の管理人は二冊の帳簿をつけていた。一冊目には船長たちが話したことを書いた。積み荷、重さ、出てきた港、そして着きたい港。二冊目は誰も見たいと言わなかったが、窓から自分で見たものを書いた。二冊が一致することはめったになかった。木材を積んだと言う船は木材にしては沈みすぎていた。',
  korean:
    '항구의 관리인은 장부를 두 권 가지고 있었다. 첫 번째 장부에는 선장들이 말해 준 것을 적었다. 화물과 무게, 떠나온 항구와 가고 싶은 항구. 두 번째 장부는 아무도 보자고 하지 않았지만 창문에서 직접 본 것을 적었고, 두 장부는 거의 일치하지 않았다.',
  russian:
    'У смотрителя гавани было две книги. В первую он записывал то, что рассказывали ему капитаны: груз, водоизмещение, порт, из которого они вышли, и порт, до которого надеялись дойти. Во вторую, которую никто не просил показать, он записывал то, что видел сам из окна над шлюзом, и книги редко сходились.',
  greek:
    'Ο φύλακας του λιμανιού κρατούσε δύο βιβλία. Στο πρώτο έγραφε όσα του έλεγαν οι καπετάνιοι: το φορτίο, το βάρος, το λιμάνι από όπου έφυγαν και το λιμάνι όπου ήθελαν να φτάσουν. Στο δεύτερο έγραφε όσα έβλεπε ο ίδιος από το παράθυρο, και τα δύο σπάνια συμφωνούσαν.',
  arabic:
    'كان مدير الميناء يحتفظ بدفترين. في الأول كان يكتب ما يقوله له القباطنة: الحمولة والوزن والميناء الذي غادروه والميناء الذي يأملون الوصول إليه. وفي الثاني، الذي لم يطلب أحد رؤيته، كان يكتب ما يراه بنفسه من النافذة، ونادرا ما كان الدفتران يتفقان.',
  hebrew:
    'מנהל הנמל החזיק שני ספרים. בראשון כתב מה שסיפרו לו רבי החובלים: המטען, המשקל, הנמל שממנו יצאו והנמל שאליו קיוו להגיע. בשני, שאיש לא ביקש לראות, כתב מה שראה בעצמו מן החלון, ושני הספרים הסכימו רק לעתים רחוקות.',
  hindi:
    'बंदरगाह का अधिकारी दो किताबें रखता था। पहली में वह लिखता था जो कप्तान उसे बताते थे: माल, वजन, जिस बंदरगाह से वे आए थे और जहाँ वे पहुँचना चाहते थे। दूसरी किताब में, जिसे कोई देखना नहीं चाहता था, वह लिखता था जो उसने खुद खिड़की से देखा, और दोनों शायद ही कभी मिलती थीं।',
  thai: 'ผู้ดูแลท่าเรือมีสมุดสองเล่ม เล่มแรกเขาจดสิ่งที่กัปตันบอกเขา สินค้า น้ำหนัก ท่าเรือที่จากมา และท่าเรือที่หวังจะไปถึง เล่มที่สองไม่มีใครขอดู เขาจดสิ่งที่เขาเห็นเองจากหน้าต่าง และสมุดทั้งสองเล่มแทบไม่เคยตรงกันเลย',
  german:
    'Der Hafenmeister führte zwei Bücher. In das erste schrieb er, was ihm die Kapitäne erzählten: Ladung, Gewicht, den Hafen, aus dem sie kamen, und den Hafen, den sie zu erreichen hofften. In das zweite, das niemand zu sehen verlangte, schrieb er, was er selbst vom Fenster über der Schleuse aus sah, und die beiden stimmten selten überein.',
  french:
    "Le maître du port tenait deux livres. Dans le premier, il écrivait ce que lui disaient les capitaines : la cargaison, le tonnage, le port qu'ils avaient quitté et celui qu'ils espéraient atteindre. Dans le second, que personne ne demandait à voir, il écrivait ce qu'il voyait lui-même de sa fenêtre, et les deux s'accordaient rarement.",
  emoji: '🎉🚀🔥😀👍🏽❤️🌍 🍕🐙🦀🧪📦 👩‍💻👨‍👩‍👧‍👦🏳️‍🌈 🇫🇷🇯🇵🇧🇷 ✨⚡️☕️🥳😅🙏🎯💡📈🧵 🪐🦑🫠🫶🏿🧗‍♀️ '.repeat(4),
  base64: pseudoRandomBase64(1_500),
  base64Lines: pseudoRandomBase64(1_500).replace(/(.{76})/g, '$1\n'),
  hex: pseudoRandomHex(1_500),
  digits: Array.from({ length: 200 }, (_, index) => String((index * 7_919) % 100_003)).join(' '),
  log: Array.from(
    { length: 20 },
    (_, index) =>
      `2026-03-1${index % 10}T08:${10 + index}:04.${100 + index * 41}Z WARN pool-${index} connection refused host=10.0.${index}.7:5432 attempt=${index}`,
  ).join('\n'),
}

/** Base64 of so many bytes that repeat no pattern; the same on every run. */
export function pseudoRandomBase64(bytes: number): string {
  return Buffer.from(pseudoRandom(bytes)).toString('base64')
}

/** Hex of so many such bytes. */
export function pseudoRandomHex(bytes: number): string {
  return Buffer.from(pseudoRandom(bytes)).toString('hex')
}

function pseudoRandom(bytes: number): Uint8Array {
  let state = 0x9e3779b9
  return Uint8Array.from({ length: bytes }, () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state & 0xff
  })
}
