import type { Shown } from './overview.ts';
import { plain } from './report.ts';

const WIDTH = 860;
const [LEFT, RIGHT] = [150, 800];
const [GROUP, LINE, TOP, FOOT] = [30, 20, 34, 34];
const TICKS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000];
const STYLE = `
text{font:12px ui-sans-serif,system-ui,sans-serif;fill:#1f2328}.what{font-weight:600}.axis{fill:#656d76}.grid{stroke:#d8dee4}
.one{stroke:#656d76}.better{fill:#1a7f37}.worse{fill:#c77700}.spread{stroke:#1f2328}.ground{fill:#fff}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.axis{fill:#8b949e}.grid{stroke:#2a3038}.one{stroke:#8b949e}
.better{fill:#3fb950}.worse{fill:#e3a33a}.spread{stroke:#e6edf3}.ground{fill:#0d1117}}`;

const xml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
const px = (value: number): string => String(Number(value.toFixed(1)));

/** A bar for everybody that we are measured beside, from 1 on: to the right as many times better as it is long, to the left worse. */
export function chart(shown: readonly Shown[], caption: string): string {
  const groups = shown.filter(({ beside }) => beside.length > 0);
  const all = groups.flatMap(({ beside }) => beside.flatMap(({ times }) => [times.least, times.most]));
  const [least, most] = [Math.min(0.5, ...all), Math.max(2, ...all)];
  const ticks = TICKS.filter((_tick, index) => (TICKS[index + 1] ?? most + 1) > least && (TICKS[index - 1] ?? 0) < most);
  const [low, high] = [Math.log(ticks[0] as number), Math.log(ticks.at(-1) as number)];
  const x = (ratio: number): number => LEFT + Math.min(1, Math.max(0, (Math.log(ratio) - low) / (high - low))) * (RIGHT - LEFT);
  const parts: string[] = [];
  let y = TOP;
  for (const { what, beside } of groups) {
    y += GROUP;
    parts.push(`<text class="what" x="12" y="${y - 8}">${xml(what)}</text>`);
    for (const { who, times } of beside) {
      const [from, to] = [Math.min(x(1), x(times.median)), Math.max(x(1), x(times.median))];
      const [middle, end] = [px(y + LINE / 2 - 1), Math.max(to, x(times.most))];
      parts.push(
        `<text x="${LEFT - 10}" y="${y + 13}" text-anchor="end">${xml(who)}</text>`,
        `<rect class="${times.median >= 1 ? 'better' : 'worse'}" x="${px(from)}" y="${y + 2}" width="${px(to - from)}" height="${LINE - 6}" rx="2"/>`,
        `<path class="spread" d="M${px(x(times.least))} ${middle}H${px(x(times.most))}"/>`,
        `<text x="${px(end + 6)}" y="${y + 13}">${plain(times.median)} ×</text>`,
      );
      y += LINE;
    }
  }
  const grid = ticks.flatMap((tick) => [
    `<path class="${tick === 1 ? 'one' : 'grid'}" d="M${px(x(tick))} ${TOP}V${y + 8}"/>`,
    `<text class="axis" x="${px(x(tick))}" y="${TOP - 8}" text-anchor="middle">${plain(tick)}</text>`,
  ]);
  const height = y + FOOT;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="how many times better Nexa is than others">`,
    `<style>${STYLE}</style>`,
    `<rect class="ground" width="${WIDTH}" height="${height}"/>`,
    ...grid,
    ...parts,
    `<text class="axis" x="12" y="${height - 10}">${xml(caption)}</text>`,
    '</svg>\n',
  ].join('\n');
}
