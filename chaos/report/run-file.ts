import { NexaError } from '../../src/errors.ts';
import { checkFaults } from '../plan-file.ts';
import type { Run } from '../run.ts';
import type { WorkRecord } from '../workloads/work.ts';
import { anything, fields, list, named, nullable, number, oneOf, optional, type Shape, text } from './shape.ts';

/** What `run.json` holds: all of a run but its plan and its operations, which have files of their own. */
export type RunFile = Omit<Run, 'plan' | 'works'> & { readonly works: readonly Omit<WorkRecord, 'operations'>[] };

const MOST = 1_000_000;
const name = text(256);
const sentence = text(10_000);

const fault: Shape = (value, at) => {
  try {
    checkFaults([value]);
    return undefined;
  } catch (error) {
    return `${at}: ${(error as Error).message}`;
  }
};
const event = fields({
  ...{ event: name, node: name, incarnation: number, n: number, atMs: number },
  ...{ agent: optional(fields({ type: text(1_024), id: text(1_024) })), actor: optional(text(2_048)) },
});
const RUN: Shape = fields({
  tier: optional(oneOf('namespaces', 'sudo', 'proxies')),
  startedAt: text(64),
  versions: named(100, text(256)),
  faults: list(1_000, fields({ fault, fromMs: number, untilMs: number, met: list(1_000, name), skipped: optional(sentence) })),
  acts: list(MOST, fields({ act: fields({ act: name }), fromMs: number, untilMs: number })),
  works: list(
    100,
    fields({
      workload: text(64),
      asked: list(10 * MOST, fields({ name: sentence, invokedAtMs: number, timeoutMs: number, settledAtMs: list(1_000, number) })),
      agents: named(MOST, text(2_048)),
      ...{ finals: anything, notes: anything, untilMs: number },
    }),
  ),
  events: list(10 * MOST, fields({ atMs: number, event })),
  placements: list(
    10_000,
    fields({ atMs: number, agents: list(MOST, fields({ agent: text(2_048), node: nullable(name), epoch: number })) }),
  ),
  records: list(
    10 * MOST,
    fields({
      ...{ agent: text(2_048), epoch: number, by: optional(name), what: optional(sentence) },
      ...{ log: optional(name), cause: optional(name), atMs: optional(number) },
    }),
  ),
  exits: list(MOST, fields({ place: name, atMs: number, code: nullable(number), signal: nullable(name) })),
  ...{ healedAtMs: number, recoveredAtMs: optional(number), endedAtMs: number },
  views: named(1_000, list(1_000, name)),
  queues: named(1_000, number),
  leaks: list(10_000, sentence),
  incomplete: list(10_000, sentence),
});

/** The long lists have a line for each element, so that a place in the file is a line. */
const LONG = ['faults', 'acts', 'events', 'placements', 'records', 'exits'] as const satisfies readonly (keyof RunFile)[];

/** In pieces: the whole may be longer than a text can be. */
export function* formatRun({ plan: _, works, ...run }: Run): Generator<string> {
  const short = Object.fromEntries(Object.entries(run).filter(([field]) => !(LONG as readonly string[]).includes(field)));
  yield `${JSON.stringify(short).slice(0, -1)}`;
  yield* linesOf(
    'works',
    works.map(({ operations: _operations, ...work }) => work),
  );
  for (const field of LONG) yield* linesOf(field, run[field]);
  yield '}\n';
}
function* linesOf(field: string, items: readonly unknown[]): Generator<string> {
  yield `,\n${JSON.stringify(field)}: [`;
  for (const [index, item] of items.entries()) yield `${index === 0 ? '' : ','}\n${JSON.stringify(item)}`;
  yield ']';
}

/** @throws NexaError `invalid-message` with file and line, or file and field. */
export function parseRun(written: string, file: string): RunFile {
  let value: unknown;
  try {
    value = JSON.parse(written);
  } catch (cause) {
    const line = String(lineOf(written, cause));
    throw new NexaError('invalid-message', `run.json line ${line}: it is no JSON, or cut off`, { cause, where: { file, line } });
  }
  const wrong = RUN(value, '');
  if (wrong === undefined) return value as RunFile;
  const field = wrong.split(/ is to be |: /)[0] ?? '';
  throw new NexaError('invalid-message', `run.json: ${wrong}`, { where: { file, field } });
}

/** Where the parser stopped; it names the place as an offset, or says that the end came too soon. */
function lineOf(written: string, cause: unknown): number {
  const offset = /at position (\d+)/.exec(String(cause))?.[1];
  let line = 1;
  const end = offset === undefined ? written.length : Number(offset);
  for (let at = written.indexOf('\n'); at >= 0 && at < end; at = written.indexOf('\n', at + 1)) line++;
  return line;
}
