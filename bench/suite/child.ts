// One run of one contender, or one of its far parts, in this process alone: forked by run.ts with what to do as its argument.
import { type ChildProcess, type ForkOptions, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { cpuMs } from './cpu.ts';
import type { Contender, Far, Run, Workload } from './workload.ts';

/** All that a run is told. */
export interface Order {
  /** The URL of the module that has the workload among its `workloads`. */
  readonly list: string;
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
/** To a far part. Without a question it is asked for its CPU time. */
interface Question {
  readonly id: number;
  readonly question?: unknown;
}
/** Of a far part: first what it said of itself, then answers. */
type Said = { readonly said?: unknown } | { readonly id: number; readonly answer: unknown };

/** A far part that takes longer to stop has failed. */
const STOP_MS = 20_000;
const me = fileURLToPath(import.meta.url);

export const forkRun = (order: Order, options?: Pick<ForkOptions, 'detached' | 'env'>): ChildProcess =>
  fork(me, [JSON.stringify(order)], { execArgv: ['--expose-gc'], stdio: ['ignore', 'ignore', 'pipe', 'ipc'], ...options });

async function far(order: Order, contender: Contender, run: Omit<Run, 'fars'>, index: number): Promise<void> {
  const part = await contender.far?.(run, index);
  if (part === undefined) throw new Error(`${order.contender} has no far part`);
  // A rejection here ends the process, and with it the run: an answer that never comes would hold it up.
  process.on('message', async ({ id, question }: Question) => {
    process.send?.({ id, answer: question === undefined ? cpuMs() : await part.answer?.(question) } satisfies Said);
  });
  process.on('disconnect', () => {
    setTimeout(() => process.exit(1), STOP_MS).unref();
    void part.stop().then(() => process.exit());
  });
  process.send?.({ said: part.said } satisfies Said);
}

async function startFar(order: Order): Promise<Far & { end(): Promise<void> }> {
  const child = forkRun(order);
  child.stderr?.pipe(process.stderr);
  const waiting = new Map<number, { resolve(answer: unknown): void; reject(error: Error): void }>();
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const failed = (code: number | null): Error => new Error(`far part ${order.far} of ${order.contender} ended with ${code}`);
  void ended.then((code) => {
    for (const { reject } of waiting.values()) reject(failed(code));
  });
  const said = await new Promise<unknown>((resolve, reject) => {
    void ended.then((code) => reject(failed(code)));
    child.on('message', (message: Said) => {
      // Who has nothing to say of itself: undefined does not travel.
      if (!('id' in message)) return resolve(message.said);
      waiting.get(message.id)?.resolve(message.answer);
      waiting.delete(message.id);
    });
  });
  let asked = 0;
  const ask = (question?: unknown): Promise<unknown> =>
    new Promise((resolve, reject) => {
      waiting.set(++asked, { resolve, reject });
      child.send({ id: asked, question } satisfies Question, (error) => error !== null && reject(error));
    });
  return {
    said,
    ask,
    cpuMs: async () => Number(await ask()),
    async end() {
      if (child.connected) child.disconnect();
      const code = await ended;
      if (code !== 0) throw failed(code);
    },
  };
}

async function near(order: Order, contender: Contender, run: Omit<Run, 'fars'>): Promise<void> {
  // Who started this is gone: so is what it was for. This alone is no reason to live on, when nothing is under way any more.
  process.on('disconnect', () => process.exit(1));
  process.channel?.unref();
  const count = typeof contender.fars === 'function' ? contender.fars(order.at) : (contender.fars ?? (contender.far === undefined ? 0 : 1));
  const fars: Awaited<ReturnType<typeof startFar>>[] = [];
  for (let index = 0; index < count; index++) fars.push(await startFar({ ...order, far: index }));
  const seen = await contender.run({ ...run, fars });
  await Promise.all(fars.map((each) => each.end()));
  process.send?.({ seen }, () => process.exit());
}

if (process.argv[1] === me) {
  const order = JSON.parse(process.argv[2] ?? '{}') as Order;
  const { workloads } = (await import(order.list)) as { readonly workloads: readonly Workload[] };
  const contender = workloads.find(({ name }) => name === order.workload)?.contenders[order.contender];
  if (contender === undefined) throw new Error(`no contender ${order.contender} in ${order.workload}`);
  const { at, urls, monitors } = order;
  const run = { at, urls, monitors, count: (full: number): number => Math.max(1, Math.ceil(full * order.scale)) };
  await (order.far === undefined ? near(order, contender, run) : far(order, contender, run, order.far));
}
