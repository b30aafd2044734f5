import type { RouterArtefact } from '@switchyard/routing/learned'

const WIDTH = 640
const HEIGHT = 420
const LEFT = 70
const RIGHT = 20
const TOP = 56
const BOTTOM = 56

/** Quality against saving over all lambdas, with a band of one standard error, the target and the policy chosen; for light and dark pages. */
export function curveSvg({ curve, calibration, reference, targetQuality }: RouterArtefact): string {
  const points = curve.toSorted((a, b) => a.saved - b.saved)
  const low = Math.min(targetQuality, 0.95, ...points.map(({ quality, standardError }) => quality - standardError))
  const high = Math.max(1.01, ...points.map(({ quality, standardError }) => quality + standardError))
  const left = Math.min(0, ...points.map(({ saved }) => saved))
  const x = (saved: number): number => round(LEFT + ((saved - left) / (1 - left)) * (WIDTH - LEFT - RIGHT))
  const y = (quality: number): number => round(HEIGHT - BOTTOM - ((quality - low) / (high - low)) * (HEIGHT - TOP - BOTTOM))
  const line = points.map(({ saved, quality }) => `${x(saved)},${y(quality)}`).join(' ')
  const upper = points.map(({ saved, quality, standardError }) => `${x(saved)},${y(quality + standardError)}`)
  const lower = points.map(({ saved, quality, standardError }) => `${x(saved)},${y(quality - standardError)}`).toReversed()
  const chosen = `${percent(calibration.saved)} saved at ${percent(calibration.quality)}`
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Quality against saving">
<title>Quality against saving, relative to ${escaped(reference)}</title>
<style>
svg { font: 13px system-ui, sans-serif; --ink: #1c2330; --faint: #c9ced8; --line: #1f6feb; --mark: #b3261e; --page: #fff }
@media (prefers-color-scheme: dark) { svg { --ink: #e6e9ef; --faint: #444c5a; --line: #6cb0ff; --mark: #ff8a80; --page: #14171c } }
text { fill: var(--ink) }
</style>
<rect width="${WIDTH}" height="${HEIGHT}" fill="var(--page)"/>
<text x="${LEFT}" y="24" font-weight="600">Quality against saving, relative to ${escaped(reference)}</text>
<text x="${LEFT}" y="42">${calibration.rows} held-out rows; chosen: ${chosen}</text>
${ticks(left, 1)
  .map((at) => vertical(x(at), percent(at)))
  .join('\n')}
${ticks(low, high)
  .map((at) => horizontal(y(at), percent(at)))
  .join('\n')}
<polygon points="${[...upper, ...lower].join(' ')}" fill="var(--line)" opacity="0.18"/>
<polyline points="${line}" fill="none" stroke="var(--line)" stroke-width="2"/>
<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(targetQuality)}" y2="${y(targetQuality)}" stroke="var(--mark)" stroke-dasharray="6 4"/>
<text x="${WIDTH - RIGHT}" y="${y(targetQuality) - 5}" text-anchor="end">target ${percent(targetQuality)}</text>
<circle cx="${x(calibration.saved)}" cy="${y(calibration.quality)}" r="5" fill="var(--mark)"/>
<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 12}" text-anchor="middle">saved, % of the reference's cost</text>
<text transform="translate(18 ${(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">quality, % of the reference's</text>
</svg>
`
}

function vertical(x: number, label: string): string {
  return `<line x1="${x}" x2="${x}" y1="${TOP}" y2="${HEIGHT - BOTTOM}" stroke="var(--faint)"/><text x="${x}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${label}</text>`
}

function horizontal(y: number, label: string): string {
  return `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}" stroke="var(--faint)"/><text x="${LEFT - 8}" y="${y + 4}" text-anchor="end">${label}</text>`
}

/** Round values, at most eight, within a span. */
function ticks(low: number, high: number): readonly number[] {
  const step = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5].find((size) => (high - low) / size <= 8) ?? 1
  const found: number[] = []
  for (let at = Math.ceil(low / step - 1e-9); at * step <= high + 1e-9; at += 1) found.push(at * step)
  return found
}

function percent(value: number): string {
  return `${+(100 * value).toFixed(1)} %`
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
