import { verdictOf } from '../../../chaos/checkers/verdict.ts';
import { type Load, reader, type Scene, spawned, upNodes } from './load.ts';

const KEYS = ['k0', 'k1'] as const;
const GAP_MS = [20, 300] as const;

interface Note {
  readonly from: string;
  readonly n: number;
  readonly epoch: number;
}
interface Tells {
  tell(message: object): boolean;
}

/** Tells from every node, each with the next number: handled once at most, and by one activation in the order they were told. */
export function notes(scene: Scene): Load {
  const { world } = scene;
  const random = scene.random.fork('notes');
  const told = new Map<string, number>();
  const noted = new Map<string, readonly Note[]>();
  const tellOne = (): void => {
    if (scene.signal.aborted) return;
    const up = upNodes(world);
    const node = up[random.between(0, up.length - 1)];
    const key = KEYS[random.between(0, KEYS.length - 1)] as string;
    if (node?.member !== undefined) {
      const from = `${node.name}.${node.incarnation}`;
      const n = (told.get(`${from} ${key}`) ?? 0) + 1;
      told.set(`${from} ${key}`, n);
      (node.member.system.unsafeRef<never>(`nexa:notebook/${key}`) as unknown as Tells).tell({ type: 'note', from, n });
    }
    world.clock.after(random.between(...GAP_MS), tellOne);
  };
  const read = reader<{ readonly notes: readonly Note[] }>(scene, random, 'notebook');
  return {
    async begin() {
      for (const key of KEYS) await spawned(scene, 'notebook', key);
      tellOne();
    },
    recovered: () => true,
    end: async () => undefined,
    unsettled: () => [],
    async finish() {
      for (const key of KEYS) {
        const last = await read(key);
        if (last !== undefined) noted.set(key, last.notes);
      }
    },
    check: () => verdictOf(KEYS.flatMap((key) => judged(noted.get(key)).map((each) => `notebook/${key}: ${each}`))),
    operations: () => [],
  };
}

function judged(notes: readonly Note[] | undefined): readonly string[] {
  if (notes === undefined) return ['it does not answer'];
  const seen = new Set<string>();
  const latest = new Map<string, number>();
  return notes.flatMap(({ from, n, epoch }) => {
    const tell = `tell ${n} of ${from}`;
    if (seen.has(tell)) return [`${tell} was handled more than once`];
    seen.add(tell);
    const activation = `${from} ${epoch}`;
    const before = latest.get(activation) ?? 0;
    latest.set(activation, Math.max(before, n));
    return n < before ? [`${tell} was handled after ${before}`] : [];
  });
}
