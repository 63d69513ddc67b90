import type { Run } from '../run.ts';
import type { FaultEffect } from './fault-effect.ts';
import { milliseconds, seconds } from './markdown.ts';
import { escaped } from './markup.ts';
import { rates, thinned } from './points.ts';
import type { Report } from './report.ts';

const WIDTH = 1_080;
const LEFT = 76;
const RIGHT = 14;
const ROW = 22;
const LATENCY = 190;
const RATE = 64;
const GAP = 34;
const LANE = 12;
const STRETCHES = 240;
/** A stretch is no shorter: calls come one by one. */
const STRETCH_MS = 500;
/** Of each outcome. */
const POINTS = 2_000;
const LANES = 10;

/** A drawing of a run over time, complete in itself: faults as bands, calls by how long they took, how many there were, and who had no answer. */
export function chart(report: Report, run: Run): string {
  const endMs = Math.max(1, run.endedAtMs);
  const x = (atMs: number): number => round(LEFT + (Math.min(Math.max(atMs, 0), endMs) / endMs) * (WIDTH - LEFT - RIGHT));
  const operations = run.works.flatMap((work) => work.operations);
  const bands = inRows(report.faults, x);
  const top = 26;
  const faultsEnd = top + Math.max(1, bands.rows) * ROW;
  const latencyTop = faultsEnd + GAP;
  const rateTop = latencyTop + LATENCY + GAP;
  const silent = lanes(report);
  const silentTop = rateTop + RATE + GAP;
  const bottom = silentTop + (silent.length > 0 ? silent.length * LANE + GAP : 0);
  const height = bottom + 26;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escaped(report.plan.drill)} over ${seconds(endMs)}">`,
    `<style>${STYLE}</style>`,
    `<rect class="ground" width="${WIDTH}" height="${height}"/>`,
    ...bands.placed.map(({ effect }) => shade(effect, x, faultsEnd, bottom - GAP)),
    ...ticks(endMs).map(
      (atMs) =>
        `<path class="grid" d="M${x(atMs)} ${faultsEnd}V${bottom - GAP + 8}"/><text class="axis" x="${x(atMs)}" y="${bottom}" text-anchor="middle">${seconds(atMs)}</text>`,
    ),
    caption('faults', top - 2),
    ...bands.placed.map(({ effect, row }) => band(effect, x, top + row * ROW)),
    ...exits(run, x, faultsEnd),
    caption('each call by how long it took', latencyTop),
    ...latencies(operations, endMs, x, latencyTop),
    ...rate(operations, endMs, x, rateTop),
    ...(silent.length > 0 ? [caption('asked, and no answer for more than 300 ms', silentTop - 4)] : []),
    ...silent.flatMap((windows, lane) => windows.map((window) => silence(window, x, silentTop + lane * LANE))),
    ...moment(run.healedAtMs, 'healed', x, faultsEnd, bottom - GAP + 8),
    ...(run.recoveredAtMs === undefined ? [] : moment(run.recoveredAtMs, 'recovered', x, faultsEnd, bottom - GAP + 8)),
    '</svg>',
  ].join('\n');
}

/** Of its own, so that the drawing can also stand alone; a page may set the same names. */
const STYLE = `
svg{--g:#ffffff;--t:#1f2328;--d:#656d76;--l:#d8dee4;--ok:#1f78c8;--fail:#c77700;--info:#cf222e;--f:#8250df;--h:#1a7f37;font:12px ui-sans-serif,system-ui,sans-serif}
@media(prefers-color-scheme:dark){svg{--g:#0d1117;--t:#e6edf3;--d:#8b949e;--l:#2a3038;--ok:#58a6ff;--fail:#e3a33a;--info:#ff7b72;--f:#bc8cff;--h:#3fb950}}
.ground{fill:var(--g)}.grid{stroke:var(--l);fill:none}.axis,.label{fill:var(--d);font-size:11px}.label{font-weight:600}
.ok{stroke:var(--ok)}.fail{stroke:var(--fail)}.info{stroke:var(--info)}.points{stroke-width:3;stroke-linecap:round;fill:none;stroke-opacity:.55}.fail.points,.info.points{stroke-width:4;stroke-opacity:.9}
.area{stroke:none;fill-opacity:.45}.area.ok{fill:var(--ok)}.area.fail{fill:var(--fail);fill-opacity:.9}.area.info{fill:var(--info);fill-opacity:.9}
.shade{fill:var(--f);fill-opacity:.08}.shade.mend{fill:var(--h);fill-opacity:.06}.band{fill:var(--f);fill-opacity:.85}.band.mend{fill:var(--h)}.band.skipped{fill:var(--l)}
.name{fill:#fff;font-size:11.5px}.outside{fill:var(--t)}.exit{fill:var(--info)}.silent{fill:var(--fail)}.silent.bad{fill:var(--info)}
.moment{stroke:var(--h);stroke-dasharray:4 3;fill:none}.said{fill:var(--h);font-size:11px}
`.replaceAll('\n', '');

const round = (value: number): number => Math.round(value * 10) / 10;
const caption = (text: string, top: number): string => `<text class="label" x="${LEFT}" y="${top - 6}">${text}</text>`;
const title = (text: string): string => `<title>${escaped(text)}</title>`;
const isMend = ({ fault }: FaultEffect): boolean => fault.fault === 'heal';

/** Those that overlap, or whose names would, stand below each other. A wait is nothing to see. */
function inRows(faults: readonly FaultEffect[], x: (atMs: number) => number) {
  const ends: number[] = [];
  const placed = faults
    .filter(({ fault }) => fault.fault !== 'wait')
    .slice(0, 200)
    .map((effect) => {
      const from = x(effect.fromMs);
      const free = ends.findIndex((end) => end <= from);
      const row = free >= 0 ? free : ends.length < 6 ? ends.length : 0;
      const width = x(effect.untilMs) - from;
      ends[row] = from + width + (width >= nameWidth(effect) ? 0 : nameWidth(effect)) + 4;
      return { effect, row };
    });
  return { placed, rows: ends.length };
}

const nameOf = ({ number, text, met }: FaultEffect): string =>
  `${number === null ? '' : `${number} `}${text}${met.length === 0 ? '' : ` · ${met.slice(0, 3).join(' ')}${met.length > 3 ? ' …' : ''}`}`.slice(
    0,
    60,
  );
const nameWidth = (effect: FaultEffect): number => nameOf(effect).length * 6 + 10;

function shade(effect: FaultEffect, x: (atMs: number) => number, top: number, bottom: number): string {
  if (effect.skipped !== null) return '';
  const from = x(effect.fromMs);
  return `<rect class="shade${isMend(effect) ? ' mend' : ''}" x="${from}" y="${top}" width="${Math.max(1, round(x(effect.untilMs) - from))}" height="${bottom - top + 8}"/>`;
}

function band(effect: FaultEffect, x: (atMs: number) => number, y: number): string {
  const from = x(effect.fromMs);
  const width = Math.max(3, round(x(effect.untilMs) - from));
  const fits = width >= nameWidth(effect);
  const kind = effect.skipped !== null ? ' skipped' : isMend(effect) ? ' mend' : '';
  const room = from + width + nameWidth(effect) <= WIDTH - RIGHT;
  const at = fits ? `x="${from + 6}"` : room ? `x="${round(from + width + 4)}"` : `x="${from - 4}" text-anchor="end"`;
  const said = [
    `${nameOf(effect)}, ${seconds(effect.fromMs)} to ${seconds(effect.untilMs)}`,
    ...(effect.skipped === null ? [] : [`left out: ${effect.skipped}`]),
    ...(effect.detectedMs === null ? [] : [`seen after ${milliseconds(effect.detectedMs)}`]),
    ...(effect.firstOkMs === null
      ? []
      : [
          `its ${effect.agents} agents answer again after p50 ${milliseconds(effect.firstOkMs.p50)}, max ${milliseconds(effect.firstOkMs.max)}`,
        ]),
  ].join('\n');
  return `<g>${title(said)}<rect class="band${kind}" x="${from}" y="${y}" width="${width}" height="${ROW - 5}" rx="3"/><text class="name${fits && kind !== ' skipped' ? '' : ' outside'}" ${at} y="${y + 13}">${escaped(nameOf(effect))}</text></g>`;
}

const exits = (run: Run, x: (atMs: number) => number, y: number): string[] =>
  run.exits
    .slice(0, 500)
    .map(
      ({ place, atMs, code, signal }) =>
        `<path class="exit" d="M${x(atMs)} ${y + 8}l-4 -7h8z">${title(`${place} ended: ${signal ?? `exit ${code}`}, at ${seconds(atMs)}`)}</path>`,
    );

type Operations = Run['works'][number]['operations'];
const OUTCOMES = ['ok', 'fail', 'info'] as const;

function latencies(operations: Operations, endMs: number, x: (atMs: number) => number, top: number): string[] {
  const points = OUTCOMES.map((outcome) => ({
    outcome,
    points: thinned(
      operations.filter((each) => each.outcome === outcome),
      endMs,
      POINTS,
    ),
  }));
  const most = points.flatMap((each) => each.points).reduce((longest, { tookMs }) => Math.max(longest, tookMs), 100);
  const decades = Math.ceil(Math.log10(most) * 2) / 2;
  const y = (ms: number): number => round(top + LATENCY - (Math.log10(Math.max(1, ms)) / decades) * LATENCY);
  const lines = [1, 10, 100, 1_000, 10_000, 100_000].filter((ms) => Math.log10(ms) <= decades);
  return [
    ...lines.map(
      (ms) =>
        `<path class="grid" d="M${LEFT} ${y(ms)}H${WIDTH - RIGHT}"/><text class="axis" x="${LEFT - 10}" y="${y(ms) + 4}" text-anchor="end">${milliseconds(ms)}</text>`,
    ),
    ...points.map(
      ({ outcome, points: all }) =>
        `<path class="points ${outcome}" d="${all.map(({ atMs, tookMs }) => `M${x(atMs)} ${y(tookMs)}h0`).join('')}"/>`,
    ),
  ];
}

function rate(operations: Operations, endMs: number, x: (atMs: number) => number, top: number): string[] {
  const count = Math.max(1, Math.min(STRETCHES, Math.floor(endMs / STRETCH_MS)));
  const all = rates(operations, endMs, count);
  const sums = all.ok.map((ok, index) => ok + (all.fail[index] ?? 0) + (all.info[index] ?? 0));
  const most = sums.reduce((largest, sum) => Math.max(largest, sum), 1);
  const base = top + RATE;
  let below = sums.map(() => 0);
  const areas = OUTCOMES.map((outcome) => {
    const above = below.map((from, index) => from + (all[outcome][index] ?? 0));
    const y = (value: number | undefined): number => round(base - ((value ?? 0) / most) * RATE);
    const steps = (values: readonly number[], back: boolean): string[] => {
      const drawn = values.map((value, index) => {
        const [from, to] = [x((index / count) * endMs), x(((index + 1) / count) * endMs)];
        return back ? `L${to} ${y(value)}L${from} ${y(value)}` : `L${from} ${y(value)}L${to} ${y(value)}`;
      });
      return back ? drawn.reverse() : drawn;
    };
    const path = `M${LEFT} ${y(below[0])}${steps(above, false).join('')}${steps(below, true).join('')}Z`;
    below = above;
    return `<path class="area ${outcome}" d="${path}"/>`;
  });
  return [
    `<path class="grid" d="M${LEFT} ${base}H${WIDTH - RIGHT}"/>`,
    caption(`calls a second, ${Math.round(most)} at most`, top),
    ...areas,
  ];
}

type Window = Report['silence']['worst'][number];

/** A lane for each who had no answer, the worst first; the last is shared by the rest. */
function lanes({ silence: { worst } }: Report): readonly (readonly Window[])[] {
  const byKey = new Map<string, Window[]>();
  for (const window of worst) {
    const name = `${window.workload} ${window.key}`;
    byKey.set(name, [...(byKey.get(name) ?? []), window]);
  }
  const all = [...byKey.values()];
  return all.length <= LANES ? all : [...all.slice(0, LANES - 1), all.slice(LANES - 1).flat()];
}

function silence(window: Window, x: (atMs: number) => number, y: number): string {
  const { fromMs, untilMs, agent, workload, key, during, explained } = window;
  const said = `${agent || `key ${key}`} (${workload}): ${milliseconds(untilMs - fromMs)} from ${seconds(fromMs)} on${during.length === 0 ? '' : `, during ${during.join(', ')}`}${explained ? '' : '; no fault may cost that'}`;
  return `<rect class="silent${explained ? '' : ' bad'}" x="${x(fromMs)}" y="${y}" width="${Math.max(2, round(x(untilMs) - x(fromMs)))}" height="${LANE - 4}" rx="2">${title(said)}</rect>`;
}

const moment = (atMs: number, text: string, x: (atMs: number) => number, top: number, bottom: number): string[] => {
  const end = x(atMs) > WIDTH - 90;
  return [
    `<path class="moment" d="M${x(atMs)} ${top}V${bottom}"/>`,
    `<text class="said" x="${x(atMs) + (end ? -4 : 4)}" y="${top + (text === 'healed' ? 11 : 23)}"${end ? ' text-anchor="end"' : ''}>${text} ${seconds(atMs)}</text>`,
  ];
};

const STEPS_MS = [
  100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000, 3_600_000, 7_200_000,
];
function ticks(endMs: number): readonly number[] {
  const step = STEPS_MS.find((each) => endMs / each <= 12) ?? 21_600_000;
  return Array.from({ length: Math.floor(endMs / step) + 1 }, (_, index) => index * step);
}
