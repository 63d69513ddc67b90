import type { Run, Seen, Workload } from '../../bench/suite/workload.ts';

const rate = { rate: { unit: 'messages/s', better: 'more' } } as const;
const per = (value: number): Seen => ({ values: { rate: value }, expected: 10, seen: 10 });
const never = new Promise<Seen>(() => {});

/** Contenders as they should not be, beside one that is well. */
const faults: Workload = {
  name: 'faults',
  about: 'Each goes wrong in its own way.',
  measures: rate,
  cases: [''],
  contenders: {
    nexa: { run: async () => per(6) },
    absent: { lacking: () => 'it is not installed', run: () => never },
    loses: { run: async () => ({ ...per(1), seen: 9 }) },
    crashes: {
      async run() {
        throw new Error('out of order');
      },
    },
    waits: { run: () => never },
    'says rubbish': { run: async () => ({ values: { rate: Number.NaN }, expected: 10, seen: 10 }) },
  },
  reach: [],
};

/** Only a limit ends it. */
const hanging: Workload = {
  ...faults,
  name: 'hanging',
  contenders: {
    nexa: {
      run() {
        setInterval(() => {}, 1_000);
        return never;
      },
    },
  },
};

/** Two processes each; the far one counts, and may end before it is told to. */
const far = (said: string | undefined, answer: () => unknown) => ({
  far: async () => ({ said, answer, stop: async () => undefined }),
  async run({ fars: [other] }: Run): Promise<Seen> {
    if (other?.said !== said || !(((await other?.cpuMs()) ?? 0) > 0)) throw new Error('nobody is there');
    return per(Number(await other?.ask('how many')));
  },
});
const twoProcesses: Workload = {
  name: 'two processes',
  about: 'One asks the other.',
  measures: rate,
  cases: ['near', 'far'],
  contenders: { nexa: far('here', () => 6), silent: far(undefined, () => 3), 'is left alone': far('here', () => process.exit(3)) },
  reach: [],
};

export const workloads: readonly Workload[] = [faults, hanging, twoProcesses];
