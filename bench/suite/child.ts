// One run of one contender, or one of its far parts, in this process alone: forked by rounds.ts with what to do as arguments.
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { workloads } from '../workloads/index.ts';
import { cpuMs } from './cpu.ts';
import type { Contender, Far, Run } from './workload.ts';

/** All that a run is told. */
export interface Order {
  readonly workload: string;
  readonly at: string;
  readonly contender: string;
  readonly urls: readonly string[];
  readonly monitors: readonly string[];
  /** 1: as many as a full run has. */
  readonly scale: number;
  /** Which of the far parts; undefined: the one that measures. */
  readonly far?: number;
}

const me = fileURLToPath(import.meta.url);

export const forkRun = (order: Order): ChildProcess =>
  fork(me, [JSON.stringify(order)], { execArgv: ['--expose-gc'], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });

async function far(order: Order, contender: Contender, run: Omit<Run, 'fars'>, index: number): Promise<void> {
  const part = await contender.far?.(run, index);
  if (part === undefined) throw new Error(`${order.contender} has no far part`);
  process.on('message', async ({ id, question }: { readonly id: number; readonly question?: unknown }) => {
    process.send?.({ id, answer: question === undefined ? cpuMs() : await part.answer?.(question) });
  });
  process.on('disconnect', () => void part.stop().finally(() => process.exit()));
  process.send?.({ said: part.said });
}

async function startFar(order: Order): Promise<Far & { end(): Promise<void> }> {
  const child = forkRun(order);
  child.stderr?.pipe(process.stderr);
  const waiting = new Map<number, (answer: unknown) => void>();
  let asked = 0;
  const said = await new Promise<unknown>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the far part of ${order.contender} ended with ${code}`)));
    child.on('message', (message: { readonly said?: unknown; readonly id?: number; readonly answer?: unknown }) => {
      if (message.id === undefined) return resolve(message.said);
      waiting.get(message.id)?.(message.answer);
      waiting.delete(message.id);
    });
  });
  const ask = (question?: unknown): Promise<unknown> =>
    new Promise((resolve) => {
      waiting.set(++asked, resolve);
      child.send({ id: asked, question });
    });
  return {
    said,
    ask,
    cpuMs: async () => Number(await ask()),
    async end() {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.disconnect();
      await ended;
    },
  };
}

async function near(order: Order, contender: Contender, run: Omit<Run, 'fars'>): Promise<void> {
  const count = typeof contender.fars === 'function' ? contender.fars(order.at) : (contender.fars ?? (contender.far === undefined ? 0 : 1));
  const fars: Awaited<ReturnType<typeof startFar>>[] = [];
  for (let index = 0; index < count; index++) fars.push(await startFar({ ...order, far: index }));
  const seen = await contender.run({ ...run, fars });
  await Promise.all(fars.map((each) => each.end()));
  process.send?.({ seen }, () => process.exit());
}

if (process.argv[1] === me) {
  const order = JSON.parse(process.argv[2] ?? '{}') as Order;
  const contender = workloads.find(({ name }) => name === order.workload)?.contenders[order.contender];
  if (contender === undefined) throw new Error(`no contender ${order.contender} in ${order.workload}`);
  const { at, urls, monitors } = order;
  const run = { at, urls, monitors, count: (full: number): number => Math.max(1, Math.ceil(full * order.scale)) };
  await (order.far === undefined ? near(order, contender, run) : far(order, contender, run, order.far));
}
