// Local messaging against nact itself, in one run: a fresh process per measurement, the two in turn, medians and ratios.
// npm run bench -- local [rounds] [workload …]
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import nact from 'nact';
import { actorSystem, type Props, receive } from 'nexa';

/** What a workload needs of an implementation; both are used as their users use them. */
interface Actors {
  spawn(handler: (self: Ref, message: Message) => unknown, name?: string): Ref;
  ask(ref: Ref, message: Message): Promise<unknown>;
  stop(ref: Ref): Promise<void>;
  end(): Promise<void>;
  /**
   * A supervisor with its workers below it, by the sources of their handlers, without anything of this file between a handler and
   * the implementation; all are put into `refs` by the next turn of the loop.
   */
  spawnFamily(sources: readonly string[], scope: { readonly refs: unknown[]; readonly counter: object }): void;
  tellRaw(ref: unknown, message: Message): void;
  readonly send: string;
}
interface Ref {
  tell(message: Message): void;
}
interface Message {
  readonly type: string;
  readonly [field: string]: unknown;
}

const BIG = { limit: 2_000_000, limitBytes: 2 ** 31 };
const REPLY = Symbol('reply');

function nexa(): Actors {
  const system = actorSystem();
  const recipes = new WeakMap<object, Props<Message>>();
  return {
    spawn(handler, name) {
      let props = recipes.get(handler);
      if (props === undefined) {
        const behavior = receive<Message>((context, message) => {
          const answer = handler(context.self as Ref, message);
          if (answer !== undefined) context.reply(message, answer as never);
        });
        props = { mailbox: BIG, behavior: () => behavior };
        recipes.set(handler, props);
      }
      return system.spawn(props, name) as Ref;
    },
    ask: (ref, message) =>
      (ref as unknown as { ask(message: Message, options: object): Promise<unknown> }).ask(message, { timeoutMs: 5_000 }),
    async stop(ref) {
      (system as unknown as { stopActor(ref: Ref): void }).stopActor(ref);
    },
    end: () => system.stop(),
    send: 'REF.tell(MESSAGE)',
    spawnFamily(sources, { refs, counter }) {
      const [supervisor, ...workers] = sources.map(
        (source) => new Function('refs', 'counter', source)(refs, counter) as (context: unknown, message: Message) => undefined,
      );
      const props: Props<Message> = {
        behavior(context) {
          refs.push(context.self, ...workers.map((worker) => context.spawn<Message>({ behavior: () => receive(worker) })));
          return receive(supervisor as NonNullable<typeof supervisor>);
        },
      };
      system.spawn(props);
    },
    tellRaw: (ref, message) => (ref as Ref).tell(message),
  };
}

function plainNact(): Actors {
  const system = nact.start();
  const refs = new WeakMap<Ref, unknown>();
  return {
    spawn(handler, name) {
      const ref = nact.spawn(
        system,
        ((state: unknown, message: Message & { readonly [REPLY]?: unknown }) => {
          const answer = handler(self, message);
          const back = message[REPLY];
          if (answer !== undefined && back !== undefined) nact.dispatch(back as never, answer as never);
          return state;
        }) as never,
        name,
      );
      const self: Ref = { tell: (message) => nact.dispatch(ref as never, message as never) };
      refs.set(self, ref);
      return self;
    },
    ask: (ref, message) => nact.query(refs.get(ref) as never, ((back: unknown) => ({ ...message, [REPLY]: back })) as never, 5_000),
    async stop(ref) {
      nact.stop(refs.get(ref) as never);
    },
    async end() {
      nact.stop(system);
    },
    send: 'dispatch(REF, MESSAGE)',
    spawnFamily(sources, { refs, counter }) {
      const [supervisor, ...workers] = sources.map(
        (source) => new Function('refs', 'counter', 'dispatch', source)(refs, counter, nact.dispatch) as never,
      );
      const parent = nact.spawn(system, supervisor as never);
      refs.push(parent, ...workers.map((worker) => nact.spawn(parent as never, worker)));
    },
    tellRaw: (ref, message) => nact.dispatch(ref as never, message as never),
  };
}

const SHAPES = [
  "{ type: 'a', left: message.left - 1 }",
  "{ type: 'b', text: 'x', left: message.left - 1 }",
  "{ type: 'c', list: [seen], left: message.left - 1 }",
  "{ type: 'd', more: true, deep: { seen }, left: message.left - 1 }",
];
/** The text of a handler like no other. `send` is how this implementation sends MESSAGE to REF. */
const mixedSource = (index: number, send: string): string => `
  let seen = 0;
  return function handler${index}(first, message) {
    seen += ${(index % 7) + 1};
    counter.hit();
    if (message.left > 1) {
      const ref = refs[(${index * 13 + 5} + (seen & 7)) & 63];
      ${send.replace('REF', 'ref').replace('MESSAGE', SHAPES[index & 3] ?? '')};
    }
  }`;

type Workload = (actors: Actors, size: number) => Promise<number>;
const count = (total: number): { readonly done: Promise<void>; hit(): void } => {
  let left = total;
  let finish = () => {};
  const done = new Promise<void>((resolve) => {
    finish = resolve;
  });
  return {
    done,
    hit() {
      if (--left === 0) finish();
    },
  };
};

const workloads: Record<string, { readonly size: number; readonly unit: string; readonly run: Workload }> = {
  'ping-pong': {
    size: 2_000_000,
    unit: 'messages/s',
    async run(actors, size) {
      const counter = count(size);
      const make = (other: () => Ref) =>
        actors.spawn((_self, message) => {
          counter.hit();
          if ((message.left as number) > 1) other().tell({ type: 'ball', left: (message.left as number) - 1 });
        });
      const a: Ref = make(() => b);
      const b: Ref = make(() => a);
      a.tell({ type: 'ball', left: size });
      await counter.done;
      return size;
    },
  },
  'fan-in': {
    size: 1_200_000,
    unit: 'messages/s',
    async run(actors, size) {
      const counter = count(size);
      const sink = actors.spawn(() => counter.hit());
      const each = size / 8;
      const sources = Array.from({ length: 8 }, () =>
        actors.spawn((self, message) => {
          const left = message.left as number;
          for (let index = 0; index < 50; index++) sink.tell({ type: 'item', left });
          if (left > 50) self.tell({ type: 'go', left: left - 50 });
        }),
      );
      for (const source of sources) source.tell({ type: 'go', left: each });
      await counter.done;
      return size;
    },
  },
  mixed: {
    size: 2_000_000,
    unit: 'messages/s',
    // 64 actors with 64 different handlers and 4 shapes of messages, 256 in flight: nothing that a JIT could inline. They are a tree,
    // as actors of a real system are: 8 supervisors with 7 workers each, and all of them take messages.
    async run(actors, size) {
      const counter = count(size);
      const refs: unknown[] = [];
      const sources = Array.from({ length: 64 }, (_, index) => mixedSource(index, actors.send));
      for (let first = 0; first < 64; first += 8) actors.spawnFamily(sources.slice(first, first + 8), { refs, counter });
      while (refs.length < 64) await new Promise((resolve) => setImmediate(resolve));
      for (let index = 0; index < 256; index++) actors.tellRaw(refs[index & 63], { type: 'a', left: size / 256 });
      await counter.done;
      return size;
    },
  },
  ask: {
    size: 400_000,
    unit: 'round trips/s',
    async run(actors, size) {
      const echo = actors.spawn((_self, message) => message.left);
      for (let index = 0; index < size; index++) await actors.ask(echo, { type: 'echo', left: index });
      return size;
    },
  },
  'ask-64': {
    size: 600_000,
    unit: 'round trips/s',
    async run(actors, size) {
      const echo = actors.spawn((_self, message) => message.left);
      await Promise.all(
        Array.from({ length: 64 }, async () => {
          for (let index = 0; index < size / 64; index++) await actors.ask(echo, { type: 'echo', left: index });
        }),
      );
      return size;
    },
  },
  'spawn-stop': {
    size: 40_000,
    unit: 'actors/s',
    async run(actors, size) {
      for (let index = 0; index < size; index++) {
        const ref = actors.spawn(() => {});
        if (index % 2 === 0) ref.tell({ type: 'hello' });
        await actors.stop(ref);
        if (index % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      return size;
    },
  },
  idle: {
    size: 50_000,
    unit: 'bytes/actor',
    async run(actors, size) {
      const collect = (globalThis as unknown as { gc(): void }).gc;
      const round = async () => {
        for (let index = 0; index < 3; index++) {
          await new Promise((resolve) => setTimeout(resolve, 20));
          collect();
        }
        return process.memoryUsage().heapUsed;
      };
      const handler = () => {};
      const before = await round();
      for (let index = 0; index < size; index++) actors.spawn(handler, `a${index}`);
      return ((await round()) - before) / size;
    },
  },
};

async function measure(make: () => Actors, name: string): Promise<number> {
  const workload = workloads[name];
  if (workload === undefined) throw new Error(`no workload ${name}`);
  const actors = make();
  if (name === 'idle') return workload.run(actors, workload.size);
  await workload.run(actors, workload.size / 4);
  const from = performance.now();
  const done = await workload.run(actors, workload.size);
  const rate = done / ((performance.now() - from) / 1_000);
  await actors.end();
  return rate;
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

if (process.argv[2] === 'measure') {
  const [, , , implementation, name] = process.argv;
  process.stdout.write(String(await measure(implementation === 'nexa' ? nexa : plainNact, name ?? '')));
  process.exit(0);
}
const rounds = Number(process.argv[2] ?? 3);
const names = process.argv.length > 3 ? process.argv.slice(3) : Object.keys(workloads);
const run = (implementation: string, name: string): number =>
  Number(
    execFileSync(process.execPath, ['--expose-gc', fileURLToPath(import.meta.url), 'measure', implementation, name], {
      stdio: ['ignore', 'pipe', 'ignore'],
    }),
  );
const results = names.map((name) => {
  const pairs = Array.from({ length: rounds }, () => ({ nact: run('nact', name), nexa: run('nexa', name) }));
  return {
    workload: name,
    unit: workloads[name]?.unit ?? '',
    nact: Math.round(median(pairs.map((pair) => pair.nact))),
    nexa: Math.round(median(pairs.map((pair) => pair.nexa))),
    ratio: Number(median(pairs.map((pair) => pair.nexa / pair.nact)).toFixed(2)),
  };
});
console.table(results);
console.log(JSON.stringify({ node: process.version, rounds, results }));
