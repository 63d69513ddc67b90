import { parseArgs } from 'node:util';
import { TOLERANCE } from './compare.ts';
import type { Workload } from './workload.ts';

type Sections = Readonly<Record<string, readonly Workload[]>>;

export interface Options {
  readonly workloads: readonly Workload[];
  readonly rounds: number;
  /** 1: full runs. */
  readonly scale: number;
  /** A file, or `-`. */
  readonly json?: string;
  readonly compare?: string;
  /** The record to show instead of measuring. */
  readonly from?: string;
  readonly write: boolean;
}
export class Misuse extends Error {}
const QUICK = 0.02;

export const usage = (sections: Sections): string => `npm run bench [-- [section | name …] [options]]

  --rounds <count>   each contender in turn, so many times (default 5)
  --quick            one short round: shows that all works, its figures say nothing
  --json <file>      writes the record of this run; - writes it to stdout, and the figures to stderr
  --compare <file>   beside such a record: exit code 1 when a ratio fell by more than ${TOLERANCE * 100} %
  --from <file>      measures nothing: shows, compares or writes such a record
  --write            writes the record of a whole run to bench/baseline.json, and its figures into the pages
  --list             what can be measured

${Object.entries(sections)
  .flatMap(([section, workloads]) => [
    section,
    ...workloads.map(({ name, cases }) => `  ${name.padEnd(18)} ${cases.join(' · ')}`.trimEnd()),
  ])
  .join('\n')}
`;

/** Undefined: it was asked what can be asked. @throws Misuse */
export function options(argv: readonly string[], sections: Sections): Options | undefined {
  const { values: given, positionals: names } = parsed(argv);
  if (given.help || given.list) return undefined;
  const all = Object.values(sections).flat();
  const named = names.map((name) => {
    const found = sections[name] ?? all.filter((workload) => workload.name === name);
    if (found.length === 0) throw new Misuse(`no measurement ${name}`);
    return found;
  });
  const workloads = names.length === 0 ? all : all.filter((workload) => named.flat().includes(workload));
  const rounds = given.quick ? 1 : Number(given.rounds ?? 5);
  if (!Number.isInteger(rounds) || rounds < 1) throw new Misuse(`--rounds ${given.rounds} is no number of rounds`);
  const { json, compare, from, quick, write } = given;
  if (quick && (write || compare !== undefined)) throw new Misuse('the figures of --quick say nothing: not to be written or compared');
  if (write && workloads.length < all.length) throw new Misuse('--write wants a whole run');
  if (from !== undefined && (quick || given.rounds !== undefined)) throw new Misuse('--from measures nothing');
  return {
    workloads,
    rounds,
    scale: quick ? QUICK : 1,
    write,
    ...(json === undefined ? {} : { json }),
    ...(compare === undefined ? {} : { compare }),
    ...(from === undefined ? {} : { from }),
  };
}

function parsed(argv: readonly string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        rounds: text,
        json: text,
        compare: text,
        from: text,
        quick: flag,
        write: flag,
        list: flag,
        help: { ...flag, short: 'h' },
      },
    });
  } catch (error) {
    throw new Misuse((error as Error).message);
  }
}
