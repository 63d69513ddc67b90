import { verdictOf } from '../../../chaos/checkers/verdict.ts';
import { NexaError } from '../../../src/errors.ts';
import { askFor, type Load, reader, type Scene } from './load.ts';

const GAP_MS = [500, 2_500] as const;
/** How long the last may take to ring once all is quiet. */
const RUNG_MS = 20_000;

interface Ring {
  readonly name: string;
  readonly dueAtMs: number;
  readonly missed: number;
}
interface Once {
  readonly name: string;
  outcome: 'declared' | 'refused' | 'unknown';
}

/** A reminder that is due again and again, declared anew all the time, and many that are due once. */
export function alarms(scene: Scene): Load {
  const { world } = scene;
  const random = scene.random.fork('alarms');
  const everyMs = random.between(1_000, 2_500);
  const onces: Once[] = [];
  let declared = false;
  let asked = 0;
  let work: Promise<void> = Promise.resolve();
  let rung: readonly Ring[] | undefined;
  let goesOn = false;

  const ask = async (key: string, message: object): Promise<Once['outcome']> => {
    try {
      await askFor(scene, random, ['alarm', key], message, `a${asked++}`);
      return 'declared';
    } catch (error) {
      return error instanceof NexaError && error.definite ? 'refused' : 'unknown';
    }
  };
  const wait = (ms: number): Promise<void> => new Promise((resolve) => void world.clock.after(ms, resolve));
  const declareAll = async (): Promise<void> => {
    while (!scene.signal.aborted) {
      if (random.next() < 0.5) {
        const once: Once = { name: `o${onces.length}`, outcome: 'unknown' };
        onces.push(once);
        once.outcome = await ask('k1', { type: 'once', name: once.name, inMs: random.between(100, 4_000) });
      } else if ((await ask('k0', { type: 'every', name: 'beat', everyMs })) === 'declared') declared = true;
      await wait(random.between(...GAP_MS));
    }
  };
  const read = reader<{ readonly rings: readonly Ring[] }>(scene, random, 'alarm');
  const beatsOf = (rings: readonly Ring[]): readonly Ring[] => rings.filter(({ name }) => name === 'beat');
  const missing = (rings: readonly Ring[]): readonly string[] =>
    onces.filter(({ name, outcome }) => outcome === 'declared' && !rings.some((ring) => ring.name === name)).map(({ name }) => name);

  return {
    async begin() {
      work = declareAll();
    },
    recovered: () => true,
    end: () => work,
    unsettled: () => [],
    async finish() {
      const untilMs = world.clock.monotonicMs() + RUNG_MS;
      const before = beatsOf((await read('k0'))?.rings ?? []).length;
      do {
        await wait(500);
        const [beats, others] = [await read('k0'), await read('k1')];
        if (beats === undefined || others === undefined) continue;
        rung = [...beats.rings, ...others.rings];
        goesOn = beatsOf(rung).length > before;
      } while (world.clock.monotonicMs() < untilMs && (rung === undefined || (declared && !goesOn) || missing(rung).length > 0));
    },
    check() {
      if (rung === undefined) return verdictOf(['alarm: it does not answer']);
      const beats = beatsOf(rung);
      const named = new Map<string, number>();
      for (const { name } of rung) named.set(name, (named.get(name) ?? 0) + 1);
      return verdictOf([
        ...beats.flatMap(({ dueAtMs, missed }, index) => {
          const before = beats[index - 1];
          const passedMs = before === undefined ? everyMs : dueAtMs - before.dueAtMs;
          const due = before === undefined ? everyMs : everyMs * (1 + missed);
          return passedMs === due
            ? []
            : [`alarm/k0: rang ${passedMs} ms after the ring before it, with ${missed} missed at ${everyMs} ms each`];
        }),
        ...onces.flatMap(({ name, outcome }) => {
          const times = named.get(name) ?? 0;
          if (times > 1) return [`alarm/k1: ${name} rang ${times} times`];
          return outcome === 'refused' && times > 0 ? [`alarm/k1: ${name} was definitely refused, and rang`] : [];
        }),
        // Due times are by a wall clock: where it was turned back, they are long in coming.
        ...(scene.wallJumps ? [] : missing(rung).map((name) => `alarm/k1: ${name} never rang`)),
        ...(declared && !goesOn && !scene.wallJumps ? ['alarm/k0: rings no more'] : []),
      ]);
    },
    operations: () => [],
    seen: () => ({ coalesced: (rung ?? []).filter(({ missed }) => missed > 0).length }),
  };
}
