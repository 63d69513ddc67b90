import type { Contender, Run, Seen, Workload } from '../../suite/workload.ts';
import { decodePlain, keyOf, madePlaces, ownerOf, placeTable, type Source, storedPlaces } from './places.ts';
import { memory } from './seen-of-node.ts';

const FROM_A_SERVER = 100_000;
const sizes: Readonly<Record<string, number>> = { '10,000': 10_000, '100,000': 100_000, '1,000,000': 1_000_000 };
/** Who owns the agent under this key. */
type Table = (key: string) => string | undefined;

const filled = (fill: (source: Source['kv']) => Promise<Table>): Contender => ({
  async run({ at, urls: [url = ''], count }: Run): Promise<Seen> {
    const full = sizes[at] ?? 0;
    const entries = count(full);
    const open = (size: number): Source | Promise<Source> => (full > FROM_A_SERVER ? madePlaces(size) : storedPlaces(url, size));
    // For the compilers.
    await fill(madePlaces(count(20_000)).kv);
    await using source = await open(entries);
    const before = await memory();
    const fromMs = performance.now();
    const table = await fill(source.kv);
    const seconds = (performance.now() - fromMs - source.notOursMs()) / 1_000;
    const bytes = ((await memory()).liveBytes - before.liveBytes) / entries;
    let seen = 0;
    for (let index = 0; index < entries; index++) if (table(keyOf(index)) === ownerOf(index)) seen++;
    return { values: { bytes, rate: entries / seconds }, expected: entries, seen };
  },
});

/** The same watch into a Map, each record as the decoder gives it: nothing is checked, and nothing known of what was deleted. */
const plainMap = (kv: Source['kv']): Promise<Table> =>
  new Promise((resolve) => {
    const values = new Map<string, { readonly value: readonly unknown[]; readonly revision: number }>();
    kv.watch('', (change) => {
      if (change.kind === 'live') resolve((key) => (values.get(key)?.value[9] as readonly string[] | undefined)?.[0]);
      else if (change.kind === 'put')
        values.set(change.key, { value: decodePlain(change.value) as readonly unknown[], revision: change.revision });
    });
  });

export const placeTableFill: Workload = {
  name: 'place-table',
  about:
    'The table of where each agent is, which every node keeps: what an entry takes, and how fast a node that joins takes them in. 10,000 and 100,000 come from the store of a real server by its watch, 1,000,000 by the same calls from memory.',
  measures: { bytes: { unit: 'B of live objects an entry', better: 'less', steady: true }, rate: { unit: 'entries/s', better: 'more' } },
  cases: Object.keys(sizes),
  servers: 1,
  contenders: { nexa: filled(placeTable), 'plain Map': filled(plainMap) },
  reach: [{ measure: 'bytes', limit: 300 }],
  rounds: 2,
  words:
    'The table alone, without who listens to its changes in a node. The plain Map keeps the decoded records over the same watch: what is beside it is the checks, the order of revisions and the memory of deletions. Rates of a watch and of calls from memory cannot be compared with each other.',
};
