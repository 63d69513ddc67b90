import type { Run } from '../run.ts';
import type { Spread } from '../spread.ts';
import { chart } from './chart.ts';
import type { FaultEffect } from './fault-effect.ts';
import { firstLine, milliseconds, recovered, seconds } from './markdown.ts';
import { escaped } from './markup.ts';
import type { Operations } from './operations.ts';
import type { Promised, Report } from './report.ts';

/** `report.html`: one file, no script, nothing from elsewhere, light and dark. */
export function htmlOf(report: Report, run: Run): string {
  const { plan, operations, promises, verdict } = report;
  const marks = Object.values(promises).map((each) => each.verdict);
  const count = (mark: string): number => marks.filter((each) => each === mark).length;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escaped(plan.drill)} ${plan.seed}: ${verdict}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1><span class="mark ${verdict}">${verdict}</span> ${escaped(plan.drill)}</h1>
<p class="about">seed ${plan.seed} · ${plan.world}${report.tier === null ? '' : ` in ${report.tier}`} · ${plan.nodes} nodes, ${plan.servers} servers · ${seconds(report.endedAtMs)}, ${recovered(report)} · ${escaped(report.startedAt)}</p>
</header>
<section class="tiles">
${tile('promises', `${count('pass')} of ${marks.length}`, count('fail') > 0 ? `${count('fail')} broken` : count('unknown') > 0 ? `${count('unknown')} not decided` : 'held')}
${tile('answered', `${operations.ok}`, `${operations.perSecond} a second`)}
${tile('refused', `${operations.fail}`, 'certainly not done')}
${tile('unknown', `${operations.info}`, `${operations.repeats} repeats`)}
${tile('took', operations.okMs === null ? '-' : milliseconds(operations.okMs.p50), operations.okMs === null ? '' : `p99 ${milliseconds(operations.okMs.p99)}, max ${milliseconds(operations.okMs.max)}`)}
${tile('longest silence', report.silence.windows === 0 ? 'none' : milliseconds(report.silence.longestMs), `${report.silence.unexplained} beyond what a fault may cost`)}
</section>
${report.incomplete.length === 0 ? '' : `<section class="warn"><h2>Not a whole answer</h2>${ul(report.incomplete)}</section>`}
${broken(report)}
<section><h2>What clients saw</h2>
<div class="chart">${chart(report, run)}</div>
<p class="legend"><span class="ok">answered</span><span class="fail">refused: certainly not done</span><span class="info">unknown: perhaps done</span><span class="exit">a process ended</span></p></section>
<section><h2>Promises</h2>
<table><thead><tr><th>promise</th><th>verdict</th><th>checks</th></tr></thead><tbody>
${Object.entries(promises).map(promiseRow).join('\n')}
</tbody></table></section>
<section><h2>Faults</h2>
<div class="wide"><table><thead><tr><th>at</th><th>fault</th><th>met</th><th>for</th><th>seen after</th><th>agents</th><th>taken over<small>p50 · p99 · max</small></th><th>first answer<small>p50 · p99 · max</small></th><th>silent</th><th>moved</th><th>needlessly</th></tr></thead><tbody>
${report.faults.slice(0, 1_000).map(faultRow).join('\n')}
</tbody></table></div></section>
<section><h2>Operations</h2>
<div class="wide"><table><thead><tr><th>workload</th><th>ok</th><th>fail</th><th>unknown</th><th>repeats</th><th>ok/s</th><th>took<small>p50 · p99 · max</small></th><th>errors</th></tr></thead><tbody>
${[['all', operations] as const, ...Object.entries(report.workloads)].map(([name, each]) => operationsRow(name, each)).join('\n')}
</tbody></table></div></section>
<section><h2>Seen</h2><dl>
${facts(report)}
</dl></section>
<section><h2>Again</h2><pre>${escaped(report.replay)}</pre></section>
</body>
</html>
`;
}

const STYLE = `
:root{color-scheme:light dark;--g:#fff;--s:#f6f8fa;--t:#1f2328;--d:#656d76;--l:#d8dee4;--pass:#1a7f37;--fail:#cf222e;--unknown:#9a6700}
@media(prefers-color-scheme:dark){:root{--g:#0d1117;--s:#161b22;--t:#e6edf3;--d:#8b949e;--l:#2a3038;--pass:#3fb950;--fail:#ff7b72;--unknown:#d29922}}
*{box-sizing:border-box}body{margin:0 auto;max-width:1140px;padding:28px 24px 60px;background:var(--g);color:var(--t);font:14px/1.5 ui-sans-serif,system-ui,sans-serif}
h1{font-size:24px;margin:0;display:flex;gap:12px;align-items:center;overflow-wrap:anywhere}h2{font-size:16px;margin:32px 0 10px}.about{color:var(--d);margin:6px 0 20px}
.mark{font-weight:600;border-radius:6px;padding:1px 9px;color:var(--g);background:var(--unknown);font-size:.85em}.mark.pass{background:var(--pass)}.mark.fail{background:var(--fail)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:10px}.tile{background:var(--s);border:1px solid var(--l);border-radius:8px;padding:10px 12px}.tile b{display:block;font-size:20px;font-weight:600}.tile small,.tile span{color:var(--d)}.tile small{display:block}
.chart,.wide{overflow-x:auto}.chart{border:1px solid var(--l);border-radius:8px;padding:6px}.chart svg{display:block;max-width:100%;height:auto;min-width:720px}
.legend{color:var(--d);font-size:12px;display:flex;flex-wrap:wrap;gap:18px;margin:8px 4px}.legend span::before{content:"";display:inline-block;width:9px;height:9px;border-radius:50%;margin-right:6px}
.legend .ok::before{background:#1f78c8}.legend .fail::before{background:#c77700}.legend .info::before{background:#cf222e}.legend .exit::before{background:#cf222e;border-radius:0;clip-path:polygon(0 0,100% 0,50% 100%)}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:5px 12px 5px 0;border-bottom:1px solid var(--l);vertical-align:top;overflow-wrap:anywhere}th{color:var(--d);font-weight:500;font-size:12px;white-space:nowrap}th small{display:block}td.n{font-variant-numeric:tabular-nums;white-space:nowrap}
.bad{color:var(--fail)}.doubt{color:var(--unknown)}.dim{color:var(--d)}.warn{border-left:3px solid var(--unknown);padding-left:14px}.broken{border-left:3px solid var(--fail);padding-left:14px}
pre{background:var(--s);border:1px solid var(--l);border-radius:8px;padding:12px;overflow-x:auto;font:12px/1.5 ui-monospace,SFMono-Regular,Menlo,monospace}
dl{display:grid;grid-template-columns:max-content 1fr;gap:4px 20px;margin:0}dt{color:var(--d)}dd{margin:0;overflow-wrap:anywhere}ul{margin:0;padding-left:18px}
`.replaceAll('\n', '');

const SHOWN = 50;
const tile = (name: string, value: string, more: string): string =>
  `<div class="tile"><span>${name}</span><b>${escaped(value)}</b><small>${escaped(more)}</small></div>`;
const ul = (items: readonly string[]): string =>
  `<ul>${items
    .slice(0, SHOWN)
    .map((item) => `<li>${escaped(firstLine(item))}</li>`)
    .join('')}${items.length > SHOWN ? `<li>… and ${items.length - SHOWN} more</li>` : ''}</ul>`;

function broken({ violations, counterExample }: Report): string {
  if (violations.length === 0) return '';
  const example =
    counterExample === null
      ? ''
      : `<h2>The smallest counter-example</h2><p class="dim">${escaped(counterExample.promise)}, ${escaped(counterExample.by)}</p><pre>${escaped(counterExample.text)}</pre>`;
  return `<section class="broken"><h2>Violations</h2>${ul(violations)}${example}</section>`;
}

const promiseRow = ([promise, { verdict, checks }]: readonly [string, Promised]): string =>
  `<tr><td>${escaped(promise)}</td><td><span class="mark ${verdict}">${verdict}</span></td><td>${checks.map(checkText).join('<br>')}</td></tr>`;

function checkText(check: Promised['checks'][number]): string {
  if (check.verdict === 'ok') return escaped(check.by);
  if (check.verdict === 'bad') return `<span class="bad">${escaped(check.by)}: ${check.violations.length} violations</span>`;
  return `<span class="doubt">${escaped(check.by)}: ${escaped(firstLine(check.reason))}</span>`;
}

const cell = (value: string | number): string => `<td class="n">${escaped(String(value))}</td>`;
const spreadText = (spread: Spread | null): string =>
  spread === null ? '-' : [spread.p50, spread.p99, spread.max].map(milliseconds).join(' · ');
const faultRow = (each: FaultEffect): string =>
  `<tr${each.skipped === null ? '' : ' class="dim"'}>${cell(seconds(each.fromMs))}<td>${escaped(`${each.number ?? ''} ${each.text}`.trim())}${each.skipped === null ? '' : `<br>left out: ${escaped(each.skipped)}`}</td><td>${escaped(each.met.join(', ') || '-')}</td>${[
    seconds(each.untilMs - each.fromMs),
    each.detectedMs === null ? '-' : milliseconds(each.detectedMs),
    each.agents,
    spreadText(each.takenOverMs),
    spreadText(each.firstOkMs),
    ...[each.silent, each.moved, each.movedNeedlessly],
  ]
    .map(cell)
    .join('')}</tr>`;
const operationsRow = (name: string, { ok, fail, info, repeats, perSecond, okMs, errors }: Operations): string =>
  `<tr><td>${escaped(name)}</td>${[ok, fail, info, repeats, perSecond, spreadText(okMs)].map(cell).join('')}<td>${escaped(listed(errors))}</td></tr>`;

const listed = (counted: Readonly<Record<string, unknown>>): string =>
  Object.entries(counted)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ') || 'none';
const facts = ({ seen, leaks, versions }: Report): string =>
  [
    ['commits fenced', `${seen.fenced}`],
    ['nodes without a lease', `${seen.suspended}`],
    ['agents put aside', `${seen.quarantined}`],
    ['moves', listed(seen.moves)],
    ['dead letters', listed(seen.deadLetters)],
    ['processes ended', listed(seen.exits)],
    ['left behind', leaks.slice(0, SHOWN).join('; ') || 'nothing'],
    ['versions', listed(versions)],
  ]
    .map(([name, value]) => `<dt>${name}</dt><dd>${escaped(value ?? '')}</dd>`)
    .join('\n');
